import { noDetails, type Action, type DecisionInput } from '../core/authorization/decision-input.ts'
import { recordDecision, type DecisionRecord } from '../core/authorization/replay.ts'
import type { Answer } from '../core/authorization/decision.ts'
import { readDetails } from '../core/authorization/authorization-details.ts'
import { sourceAddressOf } from '../core/authorization/source-address.ts'
import { TokenError } from '../core/token/error.ts'
import type { AuditEntry, ClientRecord, Principal } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import type { ActiveAuthorization } from './authorization-directory.ts'
import { ServiceError } from './error.ts'
import { explainRevocation } from './explain-revocation.ts'
import { clientId, clientSpiffeId } from './naming.ts'
import { principalFacts } from './principal-facts.ts'
import type { Service } from './service.ts'

/** What somebody wants to have or do, after the limits of registration and attestation. */
export interface AuthorizationRequest {
  readonly action: Action
  readonly principal: Principal
  readonly audience: string
  readonly scopes: readonly string[]
  /** 0 where nothing is issued. */
  readonly lifetimeSeconds: number
  /** Of the connection, as the runtime names it. */
  readonly sourceAddress: string | undefined
  /** SPIFFE IDs: who asked first, and through whom, the present one first: as the new token will say. */
  readonly delegation?: { readonly initiator: string; readonly actors: readonly string[] }
  /** What authenticated the caller: a denial counts it as used, in the transaction that records the denial. */
  readonly spending?: Spending | undefined
  /** Authorization details as they came, their types known (RFC 9396). */
  readonly details?: readonly object[] | undefined
  /** The transaction that it belongs to, where there is one already: a denial says it too. */
  readonly txn?: string | undefined
}

/** Proofs that count once. */
export interface Spending {
  readonly client: ClientRecord
  readonly replayKeys: readonly { readonly key: string; readonly expiresAt: number }[]
  /** What to say when one counted before. */
  readonly replayed: 'dpop-replayed' | 'assertion-replayed' | 'client-attestation-replayed'
}

/** What the policies leave of it, and what the entry of the act has to say. */
export interface Authorized {
  readonly scopes: readonly string[]
  readonly lifetimeSeconds: number
  /** For the detail of the act's own entry in the log: that entry records the decision. */
  readonly record: DecisionRecord
}

/**
 * Asks the policies in force. What they do not permit is refused and stands in the log; what they permit is narrowed, never
 * widened, and stands in the entry of the act itself. A failure of whatever kind refuses, and has an entry of its own.
 *
 * @throws ServiceError `authorization-denied`, `authorization-failed`; TokenError where what authenticated the caller was
 *   denied before; AuthorizationError `untrusted-…`
 */
export async function authorize(
  service: Service,
  request: AuthorizationRequest,
): Promise<Authorized> {
  const active = await service.authorization.active()
  const input = prepareInput(service, request, active)
  const answer = active.decider.decide(input)
  const record = recordDecision(active.decider.set.version, input, answer)
  if (answer.granted === null) throw await recordDenial(service, request, answer, record)
  return { ...answer.granted, record }
}

/** What the policies are shown of a request. Throws AuthorizationError `untrusted-…`. */
export function prepareInput(
  service: Service,
  request: AuthorizationRequest,
  { marks }: ActiveAuthorization,
): DecisionInput {
  const now = service.clock.now()
  const { action, principal, audience, delegation, details = [] } = request
  const initiator = delegation?.initiator ?? clientSpiffeId(service, principal)
  const actors = delegation?.actors ?? []
  const { facts, digest } = details.length === 0 ? nothingAsked : readDetails(details)
  return {
    action,
    principal: principalFacts(principal, { marks, now }),
    audience,
    context: {
      time: Math.floor(now / 1000) * 1000,
      sourceAddress: sourceAddressOf(request.sourceAddress),
      scopes: request.scopes,
      lifetimeSeconds: request.lifetimeSeconds,
      delegation: { depth: actors.length, initiator, actors },
      details: facts,
      detailsDigest: digest,
      approved: false,
    },
  }
}

const nothingAsked = { facts: noDetails, digest: null }

/** Gives what is to be thrown. */
async function recordDenial(
  service: Service,
  { action, principal, txn, spending }: AuthorizationRequest,
  answer: Answer,
  record: DecisionRecord,
): Promise<ServiceError | TokenError> {
  const hasFailed = answer.outcome === 'failed'
  const id = clientSpiffeId(service, principal)
  const detail = {
    ...record,
    ...(hasFailed ? { errors: answer.errors } : {}),
    ...(txn === undefined ? {} : { txn }),
  }
  const type = hasFailed ? 'authorization.failed' : 'authorization.denied'
  const entry = auditEntry(service, type, id, id, detail)
  const spent = await recordSpending(service, spending, entry)
  if (spent !== undefined) return spent
  const by = answer.policies.join(' ') || 'no policy that permits it'
  return hasFailed
    ? new ServiceError('authorization-failed', { found: answer.errors.join('; ') })
    : new ServiceError(
        'authorization-denied',
        { expected: `a policy that permits ${action}`, found: by },
        { decision: record.decision, policies: answer.policies },
      )
}

/** A proof that was denied once is used up: sent again it writes nothing, and is told so. */
async function recordSpending(
  service: Service,
  spending: Spending | undefined,
  entry: AuditEntry,
): Promise<ServiceError | TokenError | undefined> {
  if (spending === undefined) {
    await service.store.audit.append(entry)
    return undefined
  }
  const { client, replayKeys, replayed } = spending
  const answer = await service.store.clients.act({
    client: { kind: client.kind, id: clientId(client), jkt: client.key.jkt },
    replayKeys,
    entry,
  })
  if (answer === 'done') return undefined
  if (answer === 'replayed') return new TokenError(replayed)
  return await explainRevocation(service, client.key.jkt)
}
