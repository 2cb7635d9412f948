import { findApprovable, type Approvable } from '../core/authorization/approval.ts'
import type { Decider } from '../core/authorization/decide.ts'
import type { DecisionInput } from '../core/authorization/decision-input.ts'
import type { Answer } from '../core/authorization/decision.ts'
import type {
  GrantRequestBinding,
  GrantRequestRecord,
  OpenedRequest,
  UsedApproval,
} from '../ports/grant-requests.ts'
import { auditEntry } from './audit-entry.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { ServiceError } from './error.ts'
import { bindingDigest, bindingOf } from './grant-binding.ts'
import { clientSpiffeId, createId } from './naming.ts'
import type { Service } from './service.ts'

/** An approval that counts for a request; the act that it permits uses it up. */
export interface Approval {
  /** Of the grant request. */
  readonly id: string
  readonly isReusable: boolean
  /** Nothing that is done with it lasts longer, Unix milliseconds. */
  readonly endsAt: number
}

/** How a denial stands with an operator's approval. */
export type Lift =
  | {
      readonly kind: 'approved'
      readonly request: GrantRequestRecord
      readonly approval: Approval
      readonly approvable: Approvable
    }
  /** It waits, or was denied; or it was approved for less than is left. */
  | { readonly kind: 'asked' | 'over'; readonly request: GrantRequestRecord }
  | { readonly kind: 'unasked'; readonly opening: OpenedRequest }

/**
 * Whether a denial can be lifted by an approval, and whether there is one for exactly this request. It is found under the
 * policies in force now: what they do not let be approved, no approval of before lifts.
 *
 * @returns undefined where an approval would change nothing, or nobody is there to ask for one
 */
export async function seekApproval(
  service: Service,
  request: AuthorizationRequest,
  { decider, input, denial }: { decider: Decider; input: DecisionInput; denial: Answer },
): Promise<Lift | undefined> {
  const { spending, token, details = [] } = request
  if (spending === undefined || token === undefined) return undefined
  const binding = bindingOf(spending.client, input, details, token)
  const approvable = binding && findApprovable(decider, input, denial)
  if (binding === undefined || approvable === undefined) return undefined
  const digest = bindingDigest(binding)
  const known = await service.store.grantRequests.findOpen(digest, service.clock.now())
  if (known === undefined)
    return { kind: 'unasked', opening: openingOf(service, request, binding, approvable) }
  if (known.status !== 'approved') return { kind: 'asked', request: known }
  const approval = approvalOf(known, approvable)
  const isOver = approval.endsAt < service.clock.now() + shortestMs
  if (isOver) return { kind: 'over', request: known }
  return { kind: 'approved', request: known, approval, approvable }
}

/** A token lives for whole seconds. */
const shortestMs = 1_000

/** How the record of a token uses up the approvals that it rests on. */
export function usesOf(
  { clock }: Pick<Service, 'clock'>,
  approvals: readonly Approval[],
  { exp }: { readonly exp: number },
): readonly UsedApproval[] {
  const [at, until] = [clock.now(), exp * 1000]
  return approvals.map(({ id, isReusable }) => ({ id, isReusable, at, until }))
}

/** Why an approval that counted a moment ago does not count now. Reads the store afresh. */
export async function explainApproval(
  { store }: Pick<Service, 'store'>,
  approvals: readonly Approval[],
): Promise<ServiceError> {
  const found = await Promise.all(approvals.map(({ id }) => store.grantRequests.find(id)))
  const spent = found.find(request => request?.status !== 'approved') ?? found[0]
  if (spent === undefined) return new ServiceError('authorization-approval-over')
  const details = { grantRequest: spent.id }
  return new ServiceError('authorization-approval-over', { found: spent.status }, details)
}

/** The policies of today may let an approval count for less than those under which it was given; never for more. */
function approvalOf(
  { id, minutes, expiresAt, decidedAt }: GrantRequestRecord,
  { requestable }: Approvable,
): Approval {
  if (minutes === null || requestable.minutes === null)
    return { id, isReusable: false, endsAt: expiresAt }
  const longest = (decidedAt ?? 0) + requestable.minutes * 60_000
  return { id, isReusable: true, endsAt: Math.min(expiresAt, longest) }
}

function openingOf(
  service: Service,
  { principal }: AuthorizationRequest,
  binding: GrantRequestBinding,
  { requestable, policies }: Approvable,
): OpenedRequest {
  const { requestSeconds, pendingPerAgent: limit } = service.settings.grants
  const requestedAt = service.clock.now()
  const who = principal.kind === 'agent' ? principal.agent : undefined
  const record: GrantRequestRecord = {
    ...binding,
    id: createId(service),
    digest: bindingDigest(binding),
    className: who?.className ?? '',
    hostId: who?.hostId ?? '',
    policies,
    maxMinutes: requestable.minutes,
    requestedAt,
    status: 'pending',
    expiresAt: requestedAt + requestSeconds * 1000,
    ...undecided,
  }
  const id = clientSpiffeId(service, principal)
  const entry = auditEntry(service, 'grant.requested', id, record.id, requestDetail(record))
  return { record, limit, entry }
}

const undecided = {
  decidedAt: null,
  decidedBy: null,
  operatorId: null,
  reason: null,
  minutes: null,
  uses: 0,
  usedAt: null,
} as const

/** What the log keeps of a request: the details by their digest. */
export function requestDetail(request: GrantRequestRecord): Readonly<Record<string, unknown>> {
  const { digest, agentId, jkt, action, audience, audiences, scopes, detailsDigest } = request
  const { initiator, actors, mayAct, policies, maxMinutes, expiresAt } = request
  const asked = { agentId, jkt, action, audience, audiences, scopes, detailsDigest }
  return { digest, ...asked, initiator, actors, mayAct, policies, maxMinutes, expiresAt }
}
