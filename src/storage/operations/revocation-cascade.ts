import type { RevocationEvent } from '../../ports/revocation.ts'
import { fallenCertificate, fallenSubject } from './fallen.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

/** The act whose marks are carried down. */
export interface Mark {
  readonly id: number
  readonly at: number
  readonly reason: string
  readonly reason_code: string
}

const revokeAgents = statement<Mark>()((db, is) =>
  db
    .updateTable('agents')
    .set(fallenSubject(is))
    .where('host_id', 'in', q => q.selectFrom('hosts').select('id').where('revocation', '=', is.id))
    .where('status', '!=', 'revoked'),
)

/** What a crash left open may have been signed, so it falls as well. */
export const fallible = ['intended', 'issued', 'unknown']

const revokeHostCertificates = statement<Mark>()((db, is) =>
  db
    .updateTable('certificates')
    .set(fallenCertificate(is))
    .where('subject_id', 'in', q =>
      q.selectFrom('hosts').select('id').where('revocation', '=', is.id),
    )
    .where('subject_kind', '=', 'host')
    .where('not_after', '>', is.at)
    .where('status', 'in', fallible),
)

const revokeAgentCertificates = statement<Mark>()((db, is) =>
  db
    .updateTable('certificates')
    .set(fallenCertificate(is))
    .where('subject_id', 'in', q =>
      q.selectFrom('agents').select('id').where('revocation', '=', is.id),
    )
    .where('subject_kind', '=', 'agent')
    .where('not_after', '>', is.at)
    .where('status', 'in', fallible),
)

/** Identifiers are random, so one subject is never another's kind. */
const revokeTokens = statement<Mark>()((db, is) =>
  db
    .updateTable('tokens')
    .set({ revoked_at: is.at, revocation: is.id })
    .where('subject_id', 'in', q =>
      q
        .selectFrom('hosts')
        .select('id')
        .where('revocation', '=', is.id)
        .unionAll(q.selectFrom('agents').select('id').where('revocation', '=', is.id))
        .unionAll(q.selectFrom('operators').select('id').where('revocation', '=', is.id)),
    )
    .where('expires_at', '>', is.at)
    .where('revoked_at', 'is', null),
)

/** A certificate that fell alone takes the tokens that are bound to it. */
const revokeBoundTokens = statement<Mark>()((db, is) =>
  db
    .updateTable('tokens')
    .set({ revoked_at: is.at, revocation: is.id })
    .where('subject_id', 'in', q =>
      q.selectFrom('certificates').select('subject_id').where('revocation', '=', is.id),
    )
    .where('binding', 'in', q =>
      q
        .selectFrom('certificates')
        .select('x5t')
        .where('revocation', '=', is.id)
        .where('x5t', 'is not', null),
    )
    .where('expires_at', '>', is.at)
    .where('revoked_at', 'is', null),
)

/** A token that was exchanged for one that falls; each names all those behind it. */
const revokeDescendants = statement<Mark>()((db, is) =>
  db
    .updateTable('tokens')
    .set({ revoked_at: is.at, revocation: is.id })
    .where(e =>
      e(
        e.refTuple('list', 'idx'),
        'in',
        e
          .selectFrom('token_parents as child')
          .innerJoin('tokens as parent', 'parent.jti', 'child.parent')
          .select(['child.list', 'child.idx'])
          .where('parent.revocation', '=', is.id)
          .$asTuple('list', 'idx'),
      ),
    )
    .where('expires_at', '>', is.at)
    .where('revoked_at', 'is', null),
)

/** What an agent asked for, and what an operator approved, falls with either. */
const withdrawGrantRequests = statement<Mark>()((db, is) =>
  db
    .updateTable('grant_requests')
    .set({ status: 'withdrawn', decided_at: is.at, reason: is.reason })
    .where(e =>
      e.or([
        e('agent_id', 'in', q =>
          q.selectFrom('agents').select('id').where('revocation', '=', is.id),
        ),
        e('operator_id', 'in', q =>
          q.selectFrom('operators').select('id').where('revocation', '=', is.id),
        ),
      ]),
    )
    .where('status', 'in', ['pending', 'approved']),
)

const touchLists = statement<Mark>()((db, is) =>
  db
    .updateTable('status_lists')
    .set(e => ({ version: e('version', '+', 1) }))
    .where('number', 'in', q =>
      q.selectFrom('tokens').select('list').where('revocation', '=', is.id),
    ),
)

const fallenHosts = statement<Mark>()((db, is) =>
  db.selectFrom('hosts').select('id').where('revocation', '=', is.id).orderBy('id'),
)
const fallenAgents = statement<Mark>()((db, is) =>
  db
    .selectFrom('agents')
    .select(['id', 'class_name as class'])
    .where('revocation', '=', is.id)
    .orderBy('id'),
)
const fallenCertificates = statement<Mark>()((db, is) =>
  db.selectFrom('certificates').select('serial').where('revocation', '=', is.id).orderBy('serial'),
)
const fallenTokens = statement<Mark>()((db, is) =>
  db
    .selectFrom('tokens')
    .innerJoin('status_lists', 'status_lists.number', 'tokens.list')
    .select(['status_lists.name as list', 'tokens.idx as index', 'tokens.jti'])
    .where('tokens.revocation', '=', is.id)
    .orderBy('tokens.list')
    .orderBy('tokens.idx'),
)
const fallenOperators = statement<Mark>()((db, is) =>
  db.selectFrom('operators').select('id').where('revocation', '=', is.id).orderBy('id'),
)

/** Everything that an act took down. */
export type Fallen = Pick<
  RevocationEvent,
  'hosts' | 'agents' | 'certificates' | 'tokens' | 'operators'
>

/** Carries the marks of an act down, set by set: hosts, their agents, everybody's certificates and tokens. */
export async function cascade(tx: Transaction, mark: Mark): Promise<void> {
  await tx.run(revokeAgents, mark)
  await tx.run(revokeHostCertificates, mark)
  await tx.run(revokeAgentCertificates, mark)
  await tx.run(revokeTokens, mark)
  await tx.run(revokeBoundTokens, mark)
  await tx.run(revokeDescendants, mark)
  await tx.run(withdrawGrantRequests, mark)
  await tx.run(touchLists, mark)
}

/** What bears the mark of an act. */
export async function readFallen(tx: Transaction, mark: Mark): Promise<Fallen> {
  const [hosts, operators] = [await tx.all(fallenHosts, mark), await tx.all(fallenOperators, mark)]
  const certificates = await tx.all(fallenCertificates, mark)
  return {
    hosts: hosts.map(({ id }) => id),
    agents: await tx.all(fallenAgents, mark),
    certificates: certificates.map(({ serial }) => serial),
    tokens: await tx.all(fallenTokens, mark),
    operators: operators.map(({ id }) => id),
  }
}
