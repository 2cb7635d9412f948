import { parseEnvelope } from '../core/formats/envelope.ts'
import { hsmFormats, isHsmFormatId } from '../core/formats/format-table.ts'
import type { VerifiedHsmKey } from '../core/formats/hsm/verified.ts'
import type { HsmEnrollment } from '../ports/hsm-records.ts'
import type { ChallengeRecord, HostRecord } from '../ports/records.ts'
import { ServiceError } from './error.ts'
import { inspectEvidence, verifyHsmEvidence, type HsmAnswer } from './hsm-evidence.ts'
import { endorsementId } from './naming.ts'
import type { Service } from './service.ts'

/**
 * Verifies that a key of an agent lies in the HSM of its host, by the same format that the host is in by.
 *
 * @throws EvidenceError `hsm-token-differs` for a key of another token, and those of the format; ServiceError `hsm-…`,
 *   `request-malformed` where the host has a TPM
 */
export async function verifyAgentHsmKey(
  service: Service,
  host: HostRecord,
  agentId: string,
  { nonce }: ChallengeRecord,
  answer: HsmAnswer,
): Promise<VerifiedHsmKey> {
  const { format, vendor, token } = await requireHsm(service, host)
  const audience = service.settings.issuer
  const context = { purpose: 'agent', audience, contextId: agentId, nonce } as const
  const { csr, proof, statement, chain } = answer
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

/** Throws ServiceError `request-malformed` for a host that has no attestation key of a TPM. */
export function requireTpm({ attestationPublic }: HostRecord): void {
  if (attestationPublic.length === 0)
    throw new ServiceError('request-malformed', { expected: 'evidence of the host’s HSM' })
}
