import type { GrantRequestRecord } from '../ports/grant-requests.ts'
import type { ClientRecord, OperatorRecord } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError } from './error.ts'
import { explainRevocation } from './explain-revocation.ts'
import { requestDetail } from './just-in-time.ts'
import { operatorSpiffeId } from './naming.ts'
import type { Service } from './service.ts'

/** What an operator says to a request, and why. */
export interface GrantVerdict {
  readonly isApproved: boolean
  readonly reason: string
  /** How long the approval counts; for once where left out. */
  readonly minutes?: number | undefined
}

/** Requests that are shown, newest first. */
const shown = 1_000

/** The newest requests, whatever became of them. */
export async function listGrantRequests(service: Service): Promise<GrantRequestRecord[]> {
  return await service.store.grantRequests.list(shown)
}

/** @throws ServiceError `grant-unknown` */
export async function findGrantRequest(service: Service, id: string): Promise<GrantRequestRecord> {
  const request = await service.store.grantRequests.find(id)
  if (request === undefined) throw new ServiceError('grant-unknown', { found: id })
  return request
}

/**
 * A request of the calling agent itself; those of others are unknown to it.
 *
 * @throws ServiceError `grant-unknown`
 */
export async function findOwnGrantRequest(
  service: Service,
  client: ClientRecord,
  id: string,
): Promise<GrantRequestRecord> {
  const request = await findGrantRequest(service, id)
  if (client.kind === 'agent' && client.agent.id === request.agentId) return request
  throw new ServiceError('grant-unknown', { found: id })
}

/**
 * Approves or denies a request that waits. Approval is by an operator who does not answer for the agent; the agent has no
 * voice in it, since it is no operator. That the caller may decide at all, policies have said before.
 *
 * @throws ServiceError `grant-unknown`, `grant-own`, `grant-minutes`, `grant-decided`, `grant-expired`,
 *   `caller-not-permitted`, and for an agent that was revoked or rekeyed
 */
export async function decideGrantRequest(
  service: Service,
  client: ClientRecord,
  id: string,
  verdict: GrantVerdict,
): Promise<GrantRequestRecord> {
  const operator = requireOperator(client)
  const request = await findGrantRequest(service, id)
  if (verdict.isApproved) await requireOther(service, operator, request)
  const minutes = verdict.isApproved ? minutesOf(service, request, verdict) : null
  const by = operatorSpiffeId(service, operator.id)
  const at = service.clock.now()
  const status = verdict.isApproved ? 'approved' : 'denied'
  const expiresAt = verdict.isApproved ? at + durationMs(service, minutes) : request.expiresAt
  const { reason } = verdict
  const detail = { ...requestDetail({ ...request, expiresAt }), minutes, reason }
  const answer = await service.store.grantRequests.decide(
    id,
    {
      status,
      at,
      by,
      operatorId: operator.id,
      operatorJkt: client.key.jkt,
      reason,
      expiresAt,
      minutes,
    },
    auditEntry(service, `grant.${status}`, by, id, detail),
  )
  if (answer === 'unknown') throw new ServiceError('grant-unknown', { found: id })
  if (answer === 'already') {
    const { status: found } = await findGrantRequest(service, id)
    throw new ServiceError('grant-decided', { found })
  }
  if (answer === 'expired') throw new ServiceError('grant-expired', { found: id })
  if (answer === 'revoked') throw await explainRevocation(service, request.jkt)
  if (answer === 'operator-revoked') throw await explainRevocation(service, client.key.jkt)
  return await findGrantRequest(service, id)
}

/**
 * Takes an approval back before its end. Tokens that were issued on it live out their minutes, or are revoked each by
 * itself.
 *
 * @throws ServiceError `grant-unknown`, `grant-decided`, `caller-not-permitted`
 */
export async function withdrawGrantRequest(
  service: Service,
  client: ClientRecord,
  id: string,
  reason: string,
): Promise<GrantRequestRecord> {
  const by = operatorSpiffeId(service, requireOperator(client).id)
  const entry = auditEntry(service, 'grant.withdrawn', by, id, { reason })
  const change = { at: service.clock.now(), by, reason }
  const answer = await service.store.grantRequests.withdraw(id, change, entry)
  if (answer === 'unknown') throw new ServiceError('grant-unknown', { found: id })
  const request = await findGrantRequest(service, id)
  if (answer === 'already') throw new ServiceError('grant-decided', { found: request.status })
  return request
}

function requireOperator(client: ClientRecord): OperatorRecord {
  if (client.kind === 'operator') return client.operator
  throw new ServiceError('caller-not-permitted', { expected: 'an operator', found: client.kind })
}

/**
 * Neither the owner of a class nor who registered it, and so wrote down who owns it. The owner is a name, so every name
 * that an operator has counts, in whatever letters.
 */
async function requireOther(
  service: Service,
  operator: OperatorRecord,
  { className }: GrantRequestRecord,
): Promise<void> {
  const agentClass = await service.store.classes.find(className)
  if (agentClass === undefined) throw new ServiceError('class-unknown', { found: className })
  const names = [operator.id, operator.name, operatorSpiffeId(service, operator.id)].map(asCompared)
  const answering = [agentClass.owner, agentClass.createdBy].filter(name => name !== null)
  const own = answering.find(name => names.includes(asCompared(name)))
  if (own !== undefined)
    throw new ServiceError('grant-own', { expected: `somebody else than ${own}`, found: own })
}

function asCompared(name: string): string {
  return name.normalize('NFKC').toLowerCase().trim()
}

function minutesOf(
  { settings }: Service,
  { maxMinutes }: GrantRequestRecord,
  { minutes }: GrantVerdict,
): number | null {
  if (minutes === undefined) return null
  const longest = Math.min(maxMinutes ?? 0, settings.grants.maxMinutes)
  if (minutes <= longest) return minutes
  const expected = longest === 0 ? 'an approval for once' : `at most ${longest} minutes`
  throw new ServiceError('grant-minutes', { expected, found: String(minutes) })
}

function durationMs({ settings }: Service, minutes: number | null): number {
  return minutes === null ? settings.grants.unusedSeconds * 1000 : minutes * 60_000
}
