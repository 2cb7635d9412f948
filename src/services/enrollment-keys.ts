import type { EndorsementKind } from '../core/appraisal/subject.ts'
import { verifyAttestationKey, type AttestationKey } from '../core/verifier/attestation-key.ts'
import {
  verifyDeclaredEndorsementKey,
  verifyEndorsementKey,
  type EndorsementKey,
} from '../core/verifier/endorsement-key.ts'
import type { TrustAnchor } from '../core/verifier/trust-anchor.ts'
import { requireEndorsed } from './endorsements.ts'
import type { Service } from './service.ts'

/** What a host shows first: who manufactured it, and the key it wants to attest with. Bytes, untrusted. */
export interface EnrollmentRequest {
  readonly name: string
  readonly endorsementKey: {
    readonly public: Uint8Array
    /** Null for a TPM without one: an operator's word stands for it then. */
    readonly certificate: Uint8Array | null
    readonly chain: readonly Uint8Array[]
  }
  readonly attestationKey: { readonly public: Uint8Array }
}

/** Both keys, verified, and on whose word the first is one of a TPM. */
export interface EnrollmentKeys {
  readonly endorsementKey: EndorsementKey
  readonly endorsementKind: EndorsementKind
  readonly attestationKey: AttestationKey
}

/**
 * Verifies both keys before anything is challenged for them, and again with the answer: what was admitted a moment ago
 * may have been taken back.
 *
 * @throws EvidenceError with the checks that ran; ServiceError `endorsement-pending`, `endorsement-refused`,
 *   `endorsement-queue-full`
 */
export async function verifyEnrollmentKeys(
  service: Service,
  request: EnrollmentRequest,
): Promise<EnrollmentKeys> {
  const { certificate } = request.endorsementKey
  if (certificate === null) return verifyDeclaredKeys(service, request)
  const endorsementKey = verifyEndorsementKey({
    ...request.endorsementKey,
    certificate,
    ...(await loadAuthorities(service)),
    now: new Date(service.clock.now()),
  })
  const attestationKey = verifyAttestationKey(request.attestationKey)
  return { endorsementKey, endorsementKind: 'certificate', attestationKey }
}

/** The certificates that operators admitted and have not taken back. */
export async function loadAuthorities(
  service: Pick<Service, 'store'>,
): Promise<{ anchors: TrustAnchor[]; intermediates: Uint8Array[] }> {
  const authorities = await service.store.anchors.listActive()
  return {
    anchors: authorities.filter(({ kind }) => kind === 'root'),
    intermediates: authorities
      .filter(({ kind }) => kind === 'intermediate')
      .map(authority => authority.certificate),
  }
}

async function verifyDeclaredKeys(
  service: Service,
  request: EnrollmentRequest,
): Promise<EnrollmentKeys> {
  const endorsementKey = verifyDeclaredEndorsementKey(request.endorsementKey)
  const attestationKey = verifyAttestationKey(request.attestationKey)
  const { spkiSha256 } = endorsementKey
  const endorsementKind = await requireEndorsed(service, spkiSha256, request.name)
  return { endorsementKey, endorsementKind, attestationKey }
}
