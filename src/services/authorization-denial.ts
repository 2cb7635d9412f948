import type { Answer } from '../core/authorization/decision.ts'
import type { DecisionRecord } from '../core/authorization/replay.ts'
import { TokenError } from '../core/token/error.ts'
import type { GrantRequestRecord, OpenedRequest } from '../ports/grant-requests.ts'
import type { AuditEntry } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import type { AuthorizationRequest, Spending } from './authorization-request.ts'
import { ServiceError, type ServiceErrorCode } from './error.ts'
import { explainRevocation } from './explain-revocation.ts'
import type { Lift } from './just-in-time.ts'
import { clientId, clientSpiffeId } from './naming.ts'
import type { Service } from './service.ts'

/** A denial before it stands in the log. */
export interface Denial {
  readonly answer: Answer
  readonly record: DecisionRecord
  /** How it stands with an approval; undefined where none would change anything. */
  readonly lift: Lift | undefined
  /** Finds that out once more. */
  readonly seek: () => Promise<Lift | undefined>
}

/**
 * Puts a denial into the log, and what authenticated the caller out of use; where an operator can lift it, in the same
 * transaction the request for that. Gives what is to be thrown.
 */
export async function recordDenial(
  service: Service,
  request: AuthorizationRequest,
  denial: Denial,
): Promise<ServiceError | TokenError> {
  const { lift } = denial
  if (lift?.kind !== 'unasked') return await recordPlain(service, request, denial)
  const { record } = lift.opening
  const entry = entryOf(service, request, denial, record)
  const answer = await spend(service, request.spending, entry, lift.opening)
  if (answer === 'request-open')
    return await recordPlain(service, request, { ...denial, lift: await denial.seek() })
  if (answer === 'requests-full')
    return await recordPlain(service, request, denial, 'authorization-requests-full')
  return answer ?? refusalOf(request, denial, record, 'authorization-requestable')
}

async function recordPlain(
  service: Service,
  request: AuthorizationRequest,
  denial: Denial,
  code: ServiceErrorCode = codeOf(denial.lift),
): Promise<ServiceError | TokenError> {
  const { lift } = denial
  const asked = lift === undefined || lift.kind === 'unasked' ? undefined : lift.request
  const entry = entryOf(service, request, denial, asked)
  const answer = await spend(service, request.spending, entry)
  if (answer instanceof Error) return answer
  return refusalOf(request, denial, asked, code)
}

/** One that was approved this very moment counts when it is asked for again. */
function codeOf(lift: Lift | undefined): ServiceErrorCode {
  if (lift === undefined || lift.kind === 'unasked') return 'authorization-denied'
  if (lift.kind === 'over') return 'authorization-approval-over'
  return lift.request.status === 'denied' ? 'authorization-declined' : 'authorization-requestable'
}

function entryOf(
  service: Service,
  { principal, txn }: AuthorizationRequest,
  { answer, record }: Denial,
  asked: GrantRequestRecord | undefined,
): AuditEntry {
  const hasFailed = answer.outcome === 'failed'
  const id = clientSpiffeId(service, principal)
  return auditEntry(service, hasFailed ? 'authorization.failed' : 'authorization.denied', id, id, {
    ...record,
    ...(hasFailed ? { errors: answer.errors } : {}),
    ...(txn === undefined ? {} : { txn }),
    ...(asked === undefined ? {} : { grantRequest: asked.id }),
  })
}

function refusalOf(
  { action }: AuthorizationRequest,
  { answer, record }: Denial,
  asked: GrantRequestRecord | undefined,
  code: ServiceErrorCode,
): ServiceError {
  if (answer.outcome === 'failed')
    return new ServiceError('authorization-failed', { found: answer.errors.join('; ') })
  const { decision } = record
  const { policies } = answer
  const found = policies.join(' ') || 'no policy that permits it'
  const details = {
    decision,
    policies,
    ...(asked === undefined ? {} : { grantRequest: asked.id, expiresAt: asked.expiresAt }),
  }
  const facts = { expected: `a policy that permits ${action}`, found }
  return new ServiceError(code, facts, details)
}

/** A proof that was denied once is used up: sent again it writes nothing, and is told so. */
async function spend(
  service: Service,
  spending: Spending | undefined,
  entry: AuditEntry,
  opening?: OpenedRequest,
): Promise<ServiceError | TokenError | 'request-open' | 'requests-full' | undefined> {
  if (spending === undefined) {
    await service.store.audit.append(entry)
    return undefined
  }
  const { client, replayKeys, replayed } = spending
  const answer = await service.store.clients.act({
    client: { kind: client.kind, id: clientId(client), jkt: client.key.jkt },
    replayKeys,
    entry,
    ...(opening === undefined ? {} : { opening }),
  })
  if (answer === 'done') return undefined
  if (answer === 'replayed') return new TokenError(replayed)
  if (answer === 'request-open' || answer === 'requests-full') return answer
  return await explainRevocation(service, client.key.jkt)
}
