import type { EndorsementKind } from '../core/appraisal/subject.ts'
import type { EndorsementBasis } from '../core/formats/evidence-format.ts'
import { verifyTpmKeys, type TpmKeys, type VerifiedTpmKeys } from '../core/formats/tpm2/keys.ts'
import type { EndorsementKey } from '../core/verifier/endorsement-key.ts'
import type { TrustAnchor } from '../core/verifier/trust-anchor.ts'
import { requireEndorsed } from './endorsements.ts'
import { endorsementPolicyOf, loadRevocationSources } from './revocation-sources.ts'
import { loadRegisteredHsmKeys } from './hsm-keys.ts'
import type { Service } from './service.ts'

/**
 * What a host shows first: who manufactured it, and the key it wants to attest with. Bytes, untrusted. A TPM without EK
 * certificate has an operator's word in its place.
 */
export interface EnrollmentRequest extends TpmKeys {
  readonly name: string
}

/** Both keys, verified, and on whose word the first is one of a TPM. */
export interface EnrollmentKeys extends VerifiedTpmKeys {
  readonly endorsementKind: EndorsementKind
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
  const basis = await loadEndorsementBasis(service)
  const keys = verifyTpmKeys(request, { ...basis, now: new Date(service.clock.now()) })
  const endorsementKind = await requireVouched(service, request, keys.endorsementKey)
  return { ...keys, endorsementKind }
}

/**
 * On whose word a verified endorsement key is one of a TPM: its maker's, or an operator's.
 *
 * @throws ServiceError `endorsement-pending`, `endorsement-refused`, `endorsement-queue-full`
 */
export async function requireVouched(
  service: Service,
  { name, endorsementKey }: Pick<EnrollmentRequest, 'name' | 'endorsementKey'>,
  { spkiSha256 }: EndorsementKey,
): Promise<EndorsementKind> {
  if (endorsementKey.certificate !== null) return 'certificate'
  return requireEndorsed(service, spkiSha256, name)
}

/** On whose word hardware is genuine at this moment. */
export async function loadEndorsementBasis(
  service: Pick<Service, 'store' | 'settings' | 'privacyKey'>,
): Promise<EndorsementBasis> {
  return {
    ...(await loadAuthorities(service)),
    revocation: await loadRevocationSources(service),
    endorsementPolicy: endorsementPolicyOf(service.settings),
    hsmKeys: await loadRegisteredHsmKeys(service),
  }
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
