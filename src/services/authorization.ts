import { noDetails, type DecisionInput } from '../core/authorization/decision-input.ts'
import { recordDecision, type DecisionRecord } from '../core/authorization/replay.ts'
import { readDetails } from '../core/authorization/authorization-details.ts'
import { sourceAddressOf } from '../core/authorization/source-address.ts'
import type { ActiveAuthorization } from './authorization-directory.ts'
import { recordDenial } from './authorization-denial.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { seekApproval, type Approval, type Lift } from './just-in-time.ts'
import { clientSpiffeId } from './naming.ts'
import { principalFacts } from './principal-facts.ts'
import type { Service } from './service.ts'

/** What the policies leave of it, and what the entry of the act has to say. */
export interface Authorized {
  readonly scopes: readonly string[]
  readonly lifetimeSeconds: number
  /** For the detail of the act's own entry in the log: that entry records the decision. */
  readonly record: DecisionRecord
  /** What it rests on, where no policy permits it without an operator's word; the act is to use it up. */
  readonly approval?: Approval
}

/**
 * Asks the policies in force. What they do not permit is refused and stands in the log; what they permit is narrowed, never
 * widened, and stands in the entry of the act itself. A failure of whatever kind refuses, and has an entry of its own. A
 * denial that an operator can lift opens a grant request, and is none where one was approved for exactly this.
 *
 * @throws ServiceError `authorization-…`; TokenError where what authenticated the caller was denied before;
 *   AuthorizationError `untrusted-…`
 */
export async function authorize(
  service: Service,
  request: AuthorizationRequest,
): Promise<Authorized> {
  const active = await service.authorization.active()
  const { decider } = active
  const { version } = decider.set
  const input = prepareInput(service, request, active)
  const answer = decider.decide(input)
  const record = recordDecision(version, input, answer)
  if (answer.granted !== null) return { ...answer.granted, record }
  const seek = async () => await seekApproval(service, request, { decider, input, denial: answer })
  const lift = await seek()
  if (lift?.kind !== 'approved')
    throw await recordDenial(service, request, { answer, record, lift, seek })
  return approvedBy(service, version, lift)
}

/** A decision that an approval made: it names the grant request, and is made again from the log as any other. */
function approvedBy(
  service: Service,
  version: number,
  { approval, approvable }: Extract<Lift, { kind: 'approved' }>,
): Authorized {
  const { input, answer } = approvable
  const left = Math.floor((approval.endsAt - service.clock.now()) / 1000)
  const lifetimeSeconds = Math.min(approvable.granted.lifetimeSeconds, left)
  const record = recordDecision(version, input, answer, approval.id)
  return { scopes: approvable.granted.scopes, lifetimeSeconds, record, approval }
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
