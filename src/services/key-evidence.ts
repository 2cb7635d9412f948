import { parseEnvelope } from '../core/formats/envelope.ts'
import { hsmFormats, isHsmFormatId } from '../core/formats/format-table.ts'
import type { VerifiedHsmKey } from '../core/formats/hsm/verified.ts'
import { restoreAttestationKey } from '../core/verifier/attestation-key.ts'
import { verifySubjectKey, type VerifiedSubjectKey } from '../core/verifier/subject-key.ts'
import type { KeyPurpose } from '../core/verifier/transcript.ts'
import type { HsmEnrollment } from '../ports/hsm-records.ts'
import type { HostRecord } from '../ports/records.ts'
import { ServiceError } from './error.ts'
import { inspectEvidence, verifyHsmEvidence, type HsmAnswer } from './hsm-evidence.ts'
import { endorsementId } from './naming.ts'
import type { Service } from './service.ts'

/** A proof that a key lives in the hardware of a host. Bytes, untrusted. */
export type KeyEvidence = TpmKeyEvidence | HsmKeyEvidence

/** Of a key in a TPM. */
export interface TpmKeyEvidence {
  readonly hardware: 'tpm'
  readonly challenge: string
  readonly csr: Uint8Array
  readonly subjectKey: {
    readonly public: Uint8Array
    readonly parent: { readonly public: Uint8Array; readonly hierarchy: 'owner' | 'endorsement' }
    readonly certify: { readonly attest: Uint8Array; readonly signature: Uint8Array }
  }
}

/** Of a key in the host's HSM, at the level of the host. */
export interface HsmKeyEvidence extends HsmAnswer {
  readonly hardware: 'hsm'
  readonly challenge: string
}

/** What a proof of a key must be for. */
export interface KeyUse {
  readonly purpose: Exclude<KeyPurpose, 'host'>
  /** Id of the agent or host. */
  readonly contextId: string
  readonly nonce: Uint8Array
}

/**
 * Verifies that a key lies in the hardware of a host that is in, for one nonce, purpose and request.
 *
 * @throws EvidenceError with the checks that ran, `hsm-token-differs` for a key of another token; ServiceError `hsm-…`,
 *   `request-malformed` for evidence of the other kind of hardware
 */
export async function verifyKeyEvidence(
  service: Service,
  host: HostRecord,
  use: KeyUse,
  evidence: KeyEvidence,
): Promise<VerifiedSubjectKey | VerifiedHsmKey> {
  const context = { ...use, audience: service.settings.issuer }
  if (evidence.hardware === 'hsm') return await verifyHsmKey(service, host, context, evidence)
  if (!hasTpm(host))
    throw new ServiceError('request-malformed', { expected: 'evidence of the host’s HSM' })
  const { certify, ...subjectKey } = evidence.subjectKey
  return verifySubjectKey({
    ...context,
    ...subjectKey,
    ...certify,
    csr: evidence.csr,
    attestationKey: restoreAttestationKey(host.attestationPublic),
  })
}

/** Whether a host is in by a TPM. */
export function hasTpm({ attestationPublic }: HostRecord): boolean {
  return attestationPublic.length > 0
}

async function verifyHsmKey(
  service: Service,
  host: HostRecord,
  context: KeyUse & { readonly audience: string },
  { csr, proof, statement, chain }: HsmAnswer,
): Promise<VerifiedHsmKey> {
  const { format, vendor, token } = await requireHsm(service, host)
  const sent = { vendor, token, csr, proof, statement, chain }
  const evidence = await inspectEvidence(service, format, sent, context)
  const isToken = (sha256: string): boolean => endorsementId(service, sha256) === host.endorsementId
  const now = new Date(service.clock.now())
  return verifyHsmEvidence(service, format, evidence, { context, now, isToken })
}

/** By which format and token the host is in: its newest accepted Evidence says so. */
async function requireHsm(
  service: Service,
  { id, attestationId }: HostRecord,
): Promise<HsmEnrollment> {
  const record =
    attestationId === null ? undefined : await service.store.attestations.find(attestationId)
  if (record === undefined) throw new ServiceError('attestation-unknown', { found: id })
  const { format, evidence } = record
  if (!isHsmFormatId(format))
    throw new ServiceError('request-malformed', { expected: 'evidence of the host’s TPM' })
  const { vendor, token } = parseEnvelope(hsmFormats[format], evidence)
  return { format, vendor, token }
}
