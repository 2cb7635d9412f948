import type { AgentRow, ChallengeRow, ClientKeyRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { insertChallenge } from './challenges.ts'
import { isForeignKey, replaceKey } from './client-keys.ts'

const insert = statement<AgentRow>()((db, is) =>
  db.insertInto('agents').values({
    id: is.id,
    class_name: is.class_name,
    host_id: is.host_id,
    status: is.status,
    jkt: is.jkt,
    created_at: is.created_at,
    created_by: is.created_by,
    revoked_at: is.revoked_at,
    revocation_reason: is.revocation_reason,
  }),
)

const hostStatus = statement<{ id: string }>()((db, is) =>
  db.selectFrom('hosts').select('status').where('id', '=', is.id),
)

const find = statement<{ id: string }>()((db, is) =>
  db.selectFrom('agents').selectAll().where('id', '=', is.id),
)

const listAll = statement<object>()(db =>
  db.selectFrom('agents').selectAll().orderBy('created_at').orderBy('id'),
)

const bind = statement<{ id: string; jkt: string }>()((db, is) =>
  db.updateTable('agents').set({ status: 'active', jkt: is.jkt }).where('id', '=', is.id),
)

const revoke = statement<{ id: string; at: number; reason: string }>()((db, is) =>
  db
    .updateTable('agents')
    .set({ status: 'revoked', revoked_at: is.at, revocation_reason: is.reason })
    .where('id', '=', is.id)
    .where('status', '!=', 'revoked'),
)

const revokeCertificates = statement<{ id: string; at: number }>()((db, is) =>
  db
    .updateTable('certificates')
    .set({ status: 'revoked', revoked_at: is.at, revocation_reason: 'unspecified' })
    .where('subject_id', '=', is.id)
    .where('subject_kind', '=', 'agent')
    .where('not_after', '>', is.at)
    .where('status', 'in', ['intended', 'issued']),
)

/** See `AgentStore.create`. */
export async function createAgent(
  tx: Transaction,
  agent: AgentRow,
  challenge: ChallengeRow,
  entry: string,
): Promise<'done' | 'host-revoked'> {
  if (!(await isHostActive(tx, agent.host_id))) return tx.refuse('host-revoked')
  await tx.run(insert, agent)
  await insertChallenge(tx, challenge)
  tx.append(entry)
  return 'done'
}

async function isHostActive(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.first(hostStatus, { id }))?.status === 'active'
}

/** See `AgentStore.find`. */
export async function findAgent(tx: Transaction, id: string): Promise<AgentRow | undefined> {
  return await tx.first(find, { id })
}

/** See `AgentStore.list`; oldest first. */
export async function listAgents(tx: Transaction): Promise<AgentRow[]> {
  return await tx.all(listAll, {})
}

/** See `AgentStore.bindKey`. */
export async function bindAgentKey(
  tx: Transaction,
  id: string,
  key: ClientKeyRow,
  at: number,
  entry: string,
): Promise<'done' | 'unknown' | 'revoked' | 'host-revoked' | 'key-in-use'> {
  const agent = await tx.first(find, { id })
  if (agent === undefined) return tx.refuse('unknown')
  if (!(await isHostActive(tx, agent.host_id))) return tx.refuse('host-revoked')
  if (agent.status === 'revoked') return tx.refuse('revoked')
  if (await isForeignKey(tx, key)) return tx.refuse('key-in-use')
  await tx.run(bind, { id, jkt: key.jkt })
  await replaceKey(tx, key, agent.jkt, at)
  tx.append(entry)
  return 'done'
}

/** See `AgentStore.revoke`. Counts the certificates that would have been good for longer. */
export async function revokeAgent(
  tx: Transaction,
  id: string,
  change: { readonly at: number; readonly reason: string },
  entry: string,
): Promise<{ certificates: number } | 'unknown' | 'already'> {
  if ((await tx.first(find, { id })) === undefined) return tx.refuse('unknown')
  if ((await tx.run(revoke, { id, ...change })) === 0) return tx.refuse('already')
  const certificates = await tx.run(revokeCertificates, { id, at: change.at })
  tx.append(entry)
  return { certificates }
}
