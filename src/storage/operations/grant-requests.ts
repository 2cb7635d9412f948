import type { UsedApproval } from '../../ports/grant-requests.ts'
import type { GrantRequestRow } from '../grant-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { findStanding } from './standing.ts'

const insert = statement<GrantRequestRow>()((db, is) =>
  db.insertInto('grant_requests').values({
    id: is.id,
    digest: is.digest,
    agent_id: is.agent_id,
    jkt: is.jkt,
    class_name: is.class_name,
    host_id: is.host_id,
    action: is.action,
    audience: is.audience,
    audiences: is.audiences,
    scopes: is.scopes,
    details: is.details,
    details_digest: is.details_digest,
    initiator: is.initiator,
    actors: is.actors,
    may_act: is.may_act,
    policies: is.policies,
    max_minutes: is.max_minutes,
    requested_at: is.requested_at,
    status: is.status,
    expires_at: is.expires_at,
    decided_at: is.decided_at,
    decided_by: is.decided_by,
    operator_id: is.operator_id,
    reason: is.reason,
    minutes: is.minutes,
    uses: is.uses,
    used_at: is.used_at,
  }),
)

const find = statement<{ id: string }>()((db, is) =>
  db.selectFrom('grant_requests').selectAll().where('id', '=', is.id),
)

const findInTime = statement<{ digest: string; now: number }>()((db, is) =>
  db
    .selectFrom('grant_requests')
    .selectAll()
    .where('digest', '=', is.digest)
    .where('status', 'in', ['approved', 'denied', 'pending'])
    .where('expires_at', '>', is.now)
    .orderBy('requested_at', 'desc')
    .limit(1),
)

const listNewest = statement<{ limit: number }>()((db, is) =>
  db
    .selectFrom('grant_requests')
    .selectAll()
    .orderBy('requested_at', 'desc')
    .orderBy('id')
    .limit(is.limit),
)

const countWaiting = statement<{ agent_id: string; now: number }>()((db, is) =>
  db
    .selectFrom('grant_requests')
    .select(e => e.fn.countAll<number>().as('waiting'))
    .where('agent_id', '=', is.agent_id)
    .where('status', '=', 'pending')
    .where('expires_at', '>', is.now),
)

const closeExpired = statement<{ digest: string; now: number }>()((db, is) =>
  db
    .updateTable('grant_requests')
    .set({ status: 'expired' })
    .where('digest', '=', is.digest)
    .where('status', '=', 'pending')
    .where('expires_at', '<=', is.now),
)

type Decided = Pick<
  GrantRequestRow,
  | 'id'
  | 'status'
  | 'decided_at'
  | 'decided_by'
  | 'operator_id'
  | 'reason'
  | 'expires_at'
  | 'minutes'
>

const decide = statement<Decided>()((db, is) =>
  db
    .updateTable('grant_requests')
    .set({
      status: is.status,
      decided_at: is.decided_at,
      decided_by: is.decided_by,
      operator_id: is.operator_id,
      reason: is.reason,
      expires_at: is.expires_at,
      minutes: is.minutes,
    })
    .where('id', '=', is.id),
)

const withdraw = statement<{ id: string; at: number; by: string; reason: string }>()((db, is) =>
  db
    .updateTable('grant_requests')
    .set({ status: 'withdrawn', decided_at: is.at, decided_by: is.by, reason: is.reason })
    .where('id', '=', is.id)
    .where('status', '=', 'approved')
    .where('expires_at', '>', is.at),
)

interface Use {
  readonly id: string
  readonly agent_id: string
  readonly jkt: string
  readonly at: number
  readonly until: number
}

const useOnce = statement<Use>()((db, is) =>
  db
    .updateTable('grant_requests')
    .set({ status: 'used', uses: 1, used_at: is.at })
    .where('id', '=', is.id)
    .where('agent_id', '=', is.agent_id)
    .where('jkt', '=', is.jkt)
    .where('status', '=', 'approved')
    .where('uses', '=', 0)
    .where('expires_at', '>', is.at)
    .where('expires_at', '>=', is.until),
)

const useAgain = statement<Use>()((db, is) =>
  db
    .updateTable('grant_requests')
    .set(e => ({ uses: e('uses', '+', 1), used_at: is.at }))
    .where('id', '=', is.id)
    .where('agent_id', '=', is.agent_id)
    .where('jkt', '=', is.jkt)
    .where('status', '=', 'approved')
    .where('minutes', 'is not', null)
    .where('expires_at', '>', is.at)
    .where('expires_at', '>=', is.until),
)

/** See `GrantRequestStore.find`. */
export async function findGrantRequest(
  tx: Transaction,
  id: string,
): Promise<GrantRequestRow | undefined> {
  return await tx.first(find, { id })
}

/** See `GrantRequestStore.findOpen`. */
export async function findOpenGrantRequest(
  tx: Transaction,
  digest: string,
  now: number,
): Promise<GrantRequestRow | undefined> {
  return await tx.first(findInTime, { digest, now })
}

/** See `GrantRequestStore.list`. */
export async function listGrantRequests(
  tx: Transaction,
  limit: number,
): Promise<GrantRequestRow[]> {
  return await tx.all(listNewest, { limit })
}

/** See `GrantRequestStore.decide`. */
export async function decideGrantRequest(
  tx: Transaction,
  decided: Decided,
  operatorJkt: string,
  at: number,
  entry: string,
): Promise<'done' | 'unknown' | 'already' | 'expired' | 'revoked' | 'operator-revoked'> {
  const row = await tx.first(find, { id: decided.id })
  if (row === undefined) return tx.refuse('unknown')
  if (row.status !== 'pending') return tx.refuse(row.status === 'expired' ? 'expired' : 'already')
  if (row.expires_at <= at) return tx.refuse('expired')
  if (decided.status === 'approved' && !(await isRequesterActive(tx, row)))
    return tx.refuse('revoked')
  const operator = await findStanding(tx, 'operator', operatorJkt)
  if (operator?.subjectId !== decided.operator_id || !operator.isActive)
    return tx.refuse('operator-revoked')
  await tx.run(decide, decided)
  tx.append(entry)
  return 'done'
}

async function isRequesterActive(tx: Transaction, row: GrantRequestRow): Promise<boolean> {
  const standing = await findStanding(tx, 'agent', row.jkt)
  return standing?.subjectId === row.agent_id && standing.isActive
}

/** See `GrantRequestStore.withdraw`. */
export async function withdrawGrantRequest(
  tx: Transaction,
  id: string,
  at: number,
  by: string,
  reason: string,
  entry: string,
): Promise<'done' | 'unknown' | 'already'> {
  if ((await tx.first(find, { id })) === undefined) return tx.refuse('unknown')
  if ((await tx.run(withdraw, { id, at, by, reason })) === 0) return tx.refuse('already')
  tx.append(entry)
  return 'done'
}

/** Opens a request as a part of an act; a word where there is one already, or as many as may wait. */
export async function openGrantRequest(
  tx: Transaction,
  row: GrantRequestRow,
  limit: number,
): Promise<'done' | 'request-open' | 'requests-full'> {
  const { digest, agent_id, requested_at: now } = row
  await tx.run(closeExpired, { digest, now })
  if ((await tx.first(findInTime, { digest, now })) !== undefined) return 'request-open'
  const waiting = (await tx.first(countWaiting, { agent_id, now }))?.waiting ?? 0
  if (waiting >= limit) return 'requests-full'
  await tx.run(insert, row)
  return 'done'
}

/** Uses approvals up as a part of an act of this agent by this key; false where one of them does not count any more. */
export async function useApprovals(
  tx: Transaction,
  agent_id: string,
  jkt: string,
  approvals: readonly UsedApproval[],
): Promise<boolean> {
  for (const { id, isReusable, at, until } of approvals) {
    const use = { id, agent_id, jkt, at, until }
    if ((await tx.run(isReusable ? useAgain : useOnce, use)) === 0) return false
  }
  return true
}
