import { FormatError, hex } from '../bytes/format-error.ts'
import {
  attestTag,
  isAttestOf,
  parseTpmsAttest,
  TPM_GENERATED_VALUE,
  type AttestOf,
  type AttestType,
  type ClockInfo,
  type TpmsAttest,
} from '../tpm/attest.ts'
import { isSignedBy, parseTpmtSignature, type TpmtSignature } from '../tpm/signature.ts'
import type { AttestationKey } from './attestation-key.ts'
import type { CheckRecorder } from './check.ts'

/** A TPMS_ATTEST and a TPMT_SIGNATURE over it, as they came in. */
export interface SignedAttestation {
  readonly attest: Uint8Array
  readonly signature: Uint8Array
}

/** What a TPM says of itself in each attestation, true for a signer in the endorsement hierarchy. */
export interface TpmFacts {
  readonly clockInfo: ClockInfo
  readonly firmwareVersion: bigint
}

type Kind = 'certify' | 'quote'

const longestNonce = 64

/**
 * What every attestation is held to, whatever it attests: its form, the signature of this attestation key, magic, type
 * and signer. Nothing in it was used before its signature verified.
 *
 * @throws EvidenceError `<kind>-malformed`, `<kind>-signature`, `<kind>-magic`, `<kind>-type`, `<kind>-signer`
 * @see TPM 2.0 Part 2 r01.59 §10.12.12; verification F1, F7, F9, Q1, Q7
 */
export function verifyAttestation<T extends AttestType>(
  checks: CheckRecorder,
  kind: Kind,
  type: T,
  signer: AttestationKey,
  evidence: SignedAttestation,
): AttestOf<T> {
  const { attest: bytes, signature } = evidence
  const parsed = checks.attempt(`${kind}-malformed`, bytes, () => parseSigned(bytes, signature))
  const isSigned = isSignedBy(signer.area, signer.key, bytes, parsed.signature)
  checks.require(isSigned, `${kind}-signature`, { bytes: signature })
  const { attest } = parsed
  requireAttestOf(checks, kind, type, attest, bytes)
  const isSigner = Buffer.compare(attest.qualifiedSigner, signer.qualifiedName) === 0
  checks.require(isSigner, `${kind}-signer`, { bytes })
  return attest
}

/**
 * What follows the signature, whoever made it: the attestation is a TPM's own, and of the type that is wanted.
 *
 * @throws EvidenceError `<kind>-magic`, `<kind>-type`
 */
export function requireAttestOf<T extends AttestType>(
  checks: CheckRecorder,
  kind: Kind | 'statement',
  type: T,
  attest: TpmsAttest,
  bytes: Uint8Array,
): asserts attest is AttestOf<T> {
  const { magic } = attest
  checks.require(magic === TPM_GENERATED_VALUE, `${kind}-magic`, {
    expected: hex(TPM_GENERATED_VALUE),
    found: hex(magic),
    bytes,
  })
  const [expected, found] = [hex(type), hex(attestTag(attest))]
  checks.require(isAttestOf(attest, type), `${kind}-type`, { expected, found, bytes })
}

function parseSigned(
  attest: Uint8Array,
  signature: Uint8Array,
): { attest: TpmsAttest; signature: TpmtSignature } {
  const parsed = { attest: parseTpmsAttest(attest), signature: parseTpmtSignature(signature) }
  if (parsed.attest.extraData.length > longestNonce)
    throw new FormatError('structure-value', { expected: 'extraData of a digest' })
  return parsed
}

/** The facts of an attestation that verified. */
export function tpmFactsOf({ clockInfo, firmwareVersion }: TpmsAttest): TpmFacts {
  return { clockInfo, firmwareVersion }
}

/** Whether two attestations were made in one run of one TPM, neither reset nor restarted in between. */
export function isSameRun(left: TpmFacts, right: TpmFacts): boolean {
  const [a, b] = [left.clockInfo, right.clockInfo]
  return (
    a.resetCount === b.resetCount &&
    a.restartCount === b.restartCount &&
    left.firmwareVersion === right.firmwareVersion
  )
}
