import {
  encodeAttestationContext,
  type AttestationContext,
} from '../core/appraisal/attestation-context.ts'
import { earClaims } from '../core/appraisal/ear.ts'
import type { Verdict } from '../core/appraisal/verdict.ts'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import type { AttestationRecord } from '../ports/records.ts'
import { SignerError } from '../ports/signer-error.ts'
import type { KeptAttestation } from '../ports/store.ts'
import { contextOf, type Attempt } from './attempt.ts'
import { hostSpiffeId } from './naming.ts'
import type { Service } from './service.ts'
import { signToken } from './signed-token.ts'

/** How an attempt ended. */
export interface AttemptOutcome extends Pick<AttestationContext, 'endorsementKind' | 'before'> {
  readonly verdict: Verdict
  /** Null when no host is known by this TPM. */
  readonly hostId: string | null
  /** Whether its EAR may be left out while the key does not sign: for what waits for nothing. */
  readonly isEarOptional: boolean
  /** Whether it is kept with its host, or for a time only. */
  readonly isRefused: boolean
}

/** The record of an attempt: Evidence, verdict and signed EAR, with how long they are kept. */
export async function keepAttempt(
  service: Service,
  attempt: Attempt,
  outcome: AttemptOutcome,
): Promise<KeptAttestation> {
  const { keepPerHost, keepRefused, keepRefusedSeconds } = service.settings.attestation
  const { verdict, hostId, isRefused } = outcome
  const { endorsementKind, before } = outcome
  const appraisedAt = attempt.now.getTime()
  const attestation: AttestationRecord = {
    id: attempt.id,
    hostId,
    enrollmentId: attempt.enrollment.id,
    format: attempt.format,
    evidence: attempt.evidence,
    evidenceSha256: attempt.evidenceSha256,
    context: encodeAttestationContext(contextOf(service, attempt, { endorsementKind, before })),
    verdict: JSON.stringify(verdict),
    ear: await signEarOf(service, attempt, outcome),
    status: verdict.status,
    policyId: verdict.policy.id,
    appraisedAt,
    expiresAt: isRefused ? appraisedAt + keepRefusedSeconds * 1000 : null,
  }
  return { attestation, retention: { perHost: keepPerHost, refused: keepRefused } }
}

/**
 * A refusal, and what is revoked for it, waits for no hardware: where the key does not sign, the verdict is kept without
 * an EAR.
 */
async function signEarOf(
  service: Service,
  attempt: Attempt,
  { verdict, hostId, isEarOptional }: AttemptOutcome,
): Promise<string> {
  try {
    return await signEar(service, attempt, verdict, hostId)
  } catch (cause) {
    if (isEarOptional && cause instanceof SignerError) return ''
    throw cause
  }
}

/** The verdict as an EAR, signed by the key that `/oauth/jwks` publishes (draft-ietf-rats-ear-03 §3, RFC 7515). */
function signEar(
  service: Service,
  attempt: Attempt,
  verdict: Verdict,
  hostId: string | null,
): string | Promise<string> {
  const claims = earClaims(verdict, {
    issuer: service.settings.issuer,
    format: attempt.format,
    subject: hostId === null ? undefined : hostSpiffeId(service, hostId),
    nonce: encodeBase64url(attempt.enrollment.nonce),
    attestationId: attempt.id,
  })
  return signToken(service, 'eat+jwt', claims)
}
