import { refusedVerdict } from '../core/appraisal/refused-verdict.ts'
import { CodedError } from '../core/coded-error.ts'
import { EvidenceError } from '../core/verifier/error.ts'
import type { KeptAttestation } from '../ports/store.ts'
import type { Attempt } from './attempt.ts'
import { auditEntry } from './audit-entry.ts'
import type { FetchedFact } from './endorsement-fetch.ts'
import { ServiceError } from './error.ts'
import { keepAttempt } from './kept-attestation.ts'
import type { Service } from './service.ts'

/** An enrolment that ends without a host. */
export interface RefusedEnrollment {
  readonly id: string
  readonly name: string
}

/**
 * Writes into the log why an enrolment ended, keeps the Evidence where there is some, and gives back what is to be
 * thrown. What is no refusal (a broken store, a bug) is given back as it is.
 */
export async function recordRefusal(
  service: Service,
  { id, name }: RefusedEnrollment,
  cause: unknown,
  facts: {
    readonly rule?: string
    readonly kept?: KeptAttestation
    readonly fetched?: readonly FetchedFact[]
  } = {},
): Promise<unknown> {
  if (!(cause instanceof EvidenceError || cause instanceof ServiceError)) return cause
  const { rule, kept, fetched = [] } = facts
  const entry = auditEntry(service, 'enrollment.refused', `enrollment/${id}`, name, {
    code: cause.code,
    checks: checksOf(cause),
    ...(rule === undefined ? {} : { rule }),
    ...(kept === undefined ? {} : evidenceFacts(kept)),
    ...fetchedFacts(fetched),
  })
  await service.store.enrollments.refuse(id, entry, kept)
  return cause
}

/**
 * As {@link recordRefusal}, of Evidence that did not verify: it is kept with the checks that ran, once it has
 * shown that hardware which operators know sent it. What anybody may have sent is not worth megabytes of disk.
 */
export async function recordForgery(
  service: Service,
  attempt: Attempt,
  cause: unknown,
): Promise<unknown> {
  if (!(cause instanceof EvidenceError) || !isOfKnownHardware(cause))
    return recordRefusal(service, attempt.enrollment, cause)
  const verdict = refusedVerdict(cause, attempt.policy, attempt)
  const outcome = {
    verdict,
    hostId: null,
    isRefused: true,
    isEarOptional: true,
    endorsementKind: null,
    before: null,
  }
  const kept = await keepAttempt(service, attempt, outcome)
  return recordRefusal(service, attempt.enrollment, cause, { kept })
}

/** Checks that only hardware that operators know can make pass. */
const knownHardware: readonly string[] = [
  'activation-proof',
  'hsm-certificate-signature',
  'hsm-inspection-signature',
  'hsm-statement-signature',
]

function isOfKnownHardware({ checks }: EvidenceError): boolean {
  return checks.some(({ code, outcome }) => knownHardware.includes(code) && outcome === 'pass')
}

function checksOf(cause: CodedError): string[] {
  if (!(cause instanceof EvidenceError)) return []
  return cause.checks.map(check => `${check.code}: ${check.outcome}`)
}

/** What the log says of what was fetched for an enrolment; nothing where nothing was. */
export function fetchedFacts(fetched: readonly FetchedFact[]): {
  fetched?: readonly { host: string; outcome: string }[]
} {
  return fetched.length === 0 ? {} : { fetched: fetched.map(fact => ({ ...fact })) }
}

/** How the log refers to what is kept. */
export function evidenceFacts({ attestation }: KeptAttestation): Record<string, string> {
  const { id, evidenceSha256, policyId } = attestation
  return { attestation: id, evidence: evidenceSha256, policy: policyId }
}
