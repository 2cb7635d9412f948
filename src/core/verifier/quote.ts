import { createHash } from 'node:crypto'
import { TPM_ST_ATTEST } from '../tpm/attest.ts'
import { TPM_ALG } from '../tpm/algorithm.ts'
import type { PcrSelection } from '../tpm/pcr-selection.ts'
import type { AttestationKey } from './attestation-key.ts'
import type { CheckRecorder } from './check.ts'
import {
  tpmFactsOf,
  verifyAttestation,
  type SignedAttestation,
  type TpmFacts,
} from './tpm-attestation.ts'

/** A quote and the PCR values that it is said to cover: hex by PCR number as text. Untrusted. */
export interface QuoteEvidence {
  readonly quote: SignedAttestation
  readonly pcrs: { readonly sha256: Readonly<Record<string, string>> }
}

/** What a quote must have been made for. */
export interface QuoteExpectations {
  readonly attestationKey: AttestationKey
  /** qualifyingData, computed here. */
  readonly binding: Uint8Array
  /** PCRs of the SHA-256 bank, ascending, each once. */
  readonly pcrSelection: { readonly sha256: readonly number[] }
}

/** PCR values that a TPM signed, with its clock at that moment. */
export interface VerifiedQuote {
  /** Values of the SHA-256 bank by PCR number, 32 bytes each. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>
  readonly facts: TpmFacts
}

/**
 * Verifies a quote: signed by this key for this challenge, over exactly the PCRs asked for, with the values given.
 *
 * @throws EvidenceError `quote-…`
 * @see TPM 2.0 Part 3 r01.59 §18.4 TPM2_Quote; verification Q1 to Q7, Q10
 */
export function verifyQuote(
  checks: CheckRecorder,
  evidence: QuoteEvidence,
  expected: QuoteExpectations,
): VerifiedQuote {
  const type = TPM_ST_ATTEST.quote
  const { attestationKey, binding } = expected
  const bytes = evidence.quote.attest
  const attest = verifyAttestation(checks, 'quote', type, attestationKey, evidence.quote)
  const { attested } = attest
  const isBound = Buffer.compare(attest.extraData, binding) === 0
  checks.require(isBound, 'quote-nonce', { bytes })
  requireSelection(checks, attested.pcrSelect, expected.pcrSelection.sha256, bytes)
  const pcrs = requireValues(checks, evidence.pcrs.sha256, expected.pcrSelection.sha256)
  const digest = digestOf([...pcrs.values()], attestationKey)
  checks.require(Buffer.compare(digest, attested.pcrDigest) === 0, 'quote-pcr-digest', { bytes })
  return { pcrs, facts: tpmFactsOf(attest) }
}

function requireSelection(
  checks: CheckRecorder,
  signed: readonly PcrSelection[],
  asked: readonly number[],
  bytes: Uint8Array,
): void {
  const [only] = signed
  const isExact =
    signed.length === 1 && only?.hash === TPM_ALG.SHA256 && only.pcrs.join() === asked.join()
  checks.require(isExact, 'quote-selection', {
    expected: `sha256:${asked.join()}`,
    found:
      signed.map(({ hash, pcrs }) => `0x${hash.toString(16)}:${pcrs.join()}`).join(' ') || 'none',
    bytes,
  })
}

/** One value for each PCR of the selection and no other, each as long as the bank's digest (verification Q6). */
function requireValues(
  checks: CheckRecorder,
  values: Readonly<Record<string, string>>,
  asked: readonly number[],
): Map<number, Uint8Array> {
  const names = Object.keys(values).toSorted((left, right) => Number(left) - Number(right))
  const read = asked.flatMap(pcr => readValue(pcr, values[pcr]))
  checks.require(
    names.join() === asked.join() && read.length === asked.length,
    'quote-pcr-values',
    {
      expected: asked.join(),
      found: names.join().slice(0, 80),
    },
  )
  return new Map(read)
}

function readValue(pcr: number, value: string | undefined): [number, Uint8Array][] {
  if (value === undefined || !/^[0-9a-f]{64}$/.test(value)) return []
  return [[pcr, Buffer.from(value, 'hex')]]
}

/** The hash is that of the signing scheme, whatever the bank (verification Q5). */
function digestOf(values: readonly Uint8Array[], { hash: { name } }: AttestationKey): Uint8Array {
  const hash = createHash(name)
  for (const value of values) hash.update(value)
  return hash.digest()
}
