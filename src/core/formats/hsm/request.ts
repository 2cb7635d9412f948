import type { KeyObject } from 'node:crypto'
import { algorithmOfCurve, type JwsAlgorithm } from '../../jose/algorithm.ts'
import { isEcdsaSignature } from '../../jose/ecdsa.ts'
import type { CheckRecorder } from '../../verifier/check.ts'
import {
  parseCertificationRequest,
  verifyCertificationRequest,
} from '../../x509/certification-request.ts'
import { keyObjectOf, parsePublicKey, type PublicKey } from '../../x509/public-key.ts'
import { hsmProofMessage, type HsmContext } from './binding.ts'
import type { HsmEvidence } from './evidence.ts'

/** A certificate request whose key signed it, and this challenge. */
export interface ProvenRequest {
  readonly key: KeyObject
  readonly algorithm: JwsAlgorithm
  /** DER SubjectPublicKeyInfo, as it stands in the request. */
  readonly spki: Uint8Array
}

/**
 * Verifies that the key of the request holds the other end: it signed the request, and it signed this challenge
 * together with what vouches for it.
 *
 * @throws EvidenceError `csr-unreadable`, `hsm-key-unsupported`, `csr-unsigned`, `hsm-proof`
 * @see RFC 2986 §4; verification H2
 */
export function verifyHsmRequest(
  checks: CheckRecorder,
  format: string,
  evidence: Pick<HsmEvidence, 'csr' | 'statement' | 'proof'>,
  context: HsmContext,
): ProvenRequest {
  const { csr, proof } = evidence
  const { request, publicKey } = checks.attempt('csr-unreadable', csr, () => {
    const read = parseCertificationRequest(csr)
    return { request: read, publicKey: parsePublicKey(read.subjectPublicKeyInfo).publicKey }
  })
  const { key, algorithm } = signingKeyOf(checks, publicKey)
  checks.attempt('csr-unsigned', csr, () => verifyCertificationRequest(request, key))
  const message = hsmProofMessage(context, format, evidence)
  const isSigned =
    proof.length === 2 * algorithm.coordinateLength &&
    isEcdsaSignature(algorithm.hash, message, key, proof)
  checks.require(isSigned, 'hsm-proof')
  return { key, algorithm, spki: key.export({ format: 'der', type: 'spki' }) }
}

function signingKeyOf(
  checks: CheckRecorder,
  publicKey: PublicKey,
): { key: KeyObject; algorithm: JwsAlgorithm } {
  const algorithm = publicKey.kind === 'ec' ? algorithmOfCurve(publicKey.curve) : undefined
  const key = keyObjectOf(publicKey)
  if (algorithm === undefined || key === undefined) return checks.refuse('hsm-key-unsupported')
  checks.pass('hsm-key-unsupported')
  return { key, algorithm }
}

/** Whether a SubjectPublicKeyInfo is of the key of a request, in whatever form it is written. */
export function isKeyOf({ key }: ProvenRequest, candidate: PublicKey): boolean {
  return keyObjectOf(candidate)?.equals(key) ?? false
}
