import type { ActAnswer, ParentLink } from '../../ports/client-store.ts'
import type { UsedApproval } from '../../ports/grant-requests.ts'
import type { GrantRequestRow } from '../grant-rows.ts'
import type { AgentClassRow, AgentRow, ClientKeyRow, HostRow, OperatorRow } from '../schema.ts'
import type { TokenRow } from '../status-rows.ts'
import type { ReplayKeyRow } from '../spent-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { findAgentClass } from './agent-classes.ts'
import { findAgent } from './agents.ts'
import { openGrantRequest, useApprovals } from './grant-requests.ts'
import { findHost } from './hosts.ts'
import { isTokenRevoked } from './revoked-tokens.ts'
import { findCertificate } from './certificates.ts'
import { findStanding } from './standing.ts'
import { placeToken } from './status-lists.ts'

/** The rows behind a client; which are there follows from `key.kind`. */
export interface ClientRows {
  readonly key: ClientKeyRow
  readonly operator?: OperatorRow | undefined
  readonly host?: HostRow | undefined
  readonly agent?: AgentRow | undefined
  readonly agentClass?: AgentClassRow | undefined
}

const findKey = statement<{ jkt: string }>()((db, is) =>
  db.selectFrom('client_keys').selectAll().where('jkt', '=', is.jkt).where('retired', '=', 0),
)

const findOperator = statement<{ id: string }>()((db, is) =>
  db.selectFrom('operators').selectAll().where('id', '=', is.id),
)

const consume = statement<ReplayKeyRow>()((db, is) =>
  db
    .insertInto('replay_keys')
    .values({ key: is.key, expires_at: is.expires_at })
    .onConflict(conflict => conflict.column('key').doNothing()),
)

/** See `ClientStore.findByKey`. */
export async function findClientByKey(
  tx: Transaction,
  jkt: string,
): Promise<ClientRows | undefined> {
  const key = await tx.first(findKey, { jkt })
  if (key === undefined) return undefined
  const id = key.subject_id
  if (key.kind === 'operator') return { key, operator: await tx.first(findOperator, { id }) }
  if (key.kind === 'host') return { key, host: await findHost(tx, id) }
  const agent = await findAgent(tx, id)
  if (agent === undefined) return undefined
  const host = await findHost(tx, agent.host_id)
  return { key, agent, host, agentClass: await findAgentClass(tx, agent.class_name) }
}

/** Who acts, and what must hold for it. */
interface Act {
  readonly kind: string
  readonly id: string
  readonly jkt: string
  readonly attestedUntil: number | null
  readonly tokenId: string | null
  readonly x5t: string | null
  /** JSON of `ParentLink`s. */
  readonly parents: string | null
  /** JSON of `UsedApproval`s. */
  readonly approvals: string | null
  readonly opening: Opening | null
}

interface Opening {
  readonly request: GrantRequestRow
  readonly limit: number
  readonly entry: string
}

/** See `ClientStore.act`. `replayKeys` alternates key and expiry, since plain values cross a thread best. */
export async function act(
  tx: Transaction,
  { kind, id, jkt, attestedUntil, tokenId, x5t, parents, approvals, opening }: Act,
  entry: string | null,
  issued: Omit<TokenRow, 'revoked_at' | 'revocation'> | null,
  ...replayKeys: (string | number)[]
): Promise<ActAnswer> {
  const standing = await findStanding(tx, kind, jkt)
  if (standing?.subjectId !== id || !standing.isActive) return tx.refuse('revoked')
  if (attestedUntil !== null && (standing.attestedUntil ?? -Infinity) < attestedUntil)
    return tx.refuse('attestation-expired')
  if (x5t !== null && !(await isStanding(tx, x5t))) return tx.refuse('certificate-revoked')
  if (tokenId !== null && (await isTokenRevoked(tx, tokenId))) return tx.refuse('token-revoked')
  if (parents !== null && !(await areStanding(tx, parents))) return tx.refuse('token-revoked')
  for (let i = 0; i < replayKeys.length; i += 2) {
    const key = { key: replayKeys[i] as string, expires_at: replayKeys[i + 1] as number }
    if ((await tx.run(consume, key)) === 0) return tx.refuse('replayed')
  }
  if (approvals !== null && !(await useApprovals(tx, id, jkt, approvalsOf(approvals))))
    return tx.refuse('approval-over')
  if (issued !== null) await placeToken(tx, issued, parentsOf(parents))
  if (entry !== null) tx.append(entry)
  return opening === null ? 'done' : await open(tx, opening)
}

async function open(tx: Transaction, { request, limit, entry }: Opening): Promise<ActAnswer> {
  const answer = await openGrantRequest(tx, request, limit)
  if (answer !== 'done') return tx.refuse(answer)
  tx.append(entry)
  return 'done'
}

function approvalsOf(approvals: string): readonly UsedApproval[] {
  return JSON.parse(approvals) as readonly UsedApproval[]
}

async function areStanding(tx: Transaction, parents: string): Promise<boolean> {
  for (const { kind, jkt, jti, x5t } of parentsOf(parents)) {
    const standing = await findStanding(tx, kind, jkt)
    if (standing?.isActive !== true || (await isTokenRevoked(tx, jti))) return false
    if (x5t !== undefined && !(await isStanding(tx, x5t))) return false
  }
  return true
}

function parentsOf(parents: string | null): readonly ParentLink[] {
  return parents === null ? [] : (JSON.parse(parents) as readonly ParentLink[])
}

/** Whether a certificate was issued and not taken back. */
async function isStanding(tx: Transaction, x5t: string): Promise<boolean> {
  return (await findCertificate(tx, x5t))?.status === 'issued'
}
