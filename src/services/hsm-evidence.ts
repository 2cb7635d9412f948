import type { HsmFormatId } from '../core/formats/format-table.ts'
import { hsmFormats } from '../core/formats/format-table.ts'
import { hsmInspectionMessage, type HsmContext } from '../core/formats/hsm/binding.ts'
import type { HsmEvidence } from '../core/formats/hsm/evidence.ts'
import type { HsmExpectations } from '../core/formats/hsm/format.ts'
import { verifyHsmRequest } from '../core/formats/hsm/request.ts'
import type { VerifiedHsmKey } from '../core/formats/hsm/verified.ts'
import { encodeInspection } from '../core/formats/inspected/inspection.ts'
import { CheckRecorder } from '../core/verifier/check.ts'
import { loadEndorsementBasis } from './enrollment-keys.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/** What a host with an HSM sends for a key, beside what its challenge is for. */
export type HsmAnswer = Omit<HsmEvidence, 'vendor' | 'token'>

/**
 * Adds what the service sees itself, where the format rests on that. What the host sent in its place is dropped. The
 * key has proven itself before any token is asked.
 *
 * @throws EvidenceError; ServiceError `hsm-token-unavailable`, `hsm-key-absent`
 */
export async function inspectEvidence(
  service: Service,
  format: HsmFormatId,
  evidence: HsmEvidence,
  context: HsmContext,
): Promise<HsmEvidence> {
  if (format !== 'hsm-inspected') return evidence
  const sent = { ...evidence, statement: new Uint8Array(), chain: [] }
  const { spki } = verifyHsmRequest(new CheckRecorder(), format, sent, context)
  const { serial } = evidence.token
  const message = hsmInspectionMessage(context, evidence.csr)
  const found = await service.tokenInspector?.inspect({ spki, serial, message })
  if (found === undefined || found === 'unavailable')
    throw new ServiceError('hsm-token-unavailable')
  if (found === 'absent') throw new ServiceError('hsm-key-absent')
  return { ...sent, statement: encodeInspection(found) }
}

/**
 * Verifies Evidence about a key of an HSM against what operators admitted by now.
 *
 * @throws EvidenceError with the checks that ran
 */
export async function verifyHsmEvidence(
  service: Service,
  format: HsmFormatId,
  evidence: HsmEvidence,
  expected: Pick<HsmExpectations, 'context' | 'now' | 'isToken'>,
): Promise<VerifiedHsmKey> {
  const basis = await loadEndorsementBasis(service)
  return hsmFormats[format].verifyKey(evidence, { ...basis, ...expected })
}
