import { createHash, verify } from 'node:crypto'
import { encodeTpmsAttest, parseTpmsAttest, TPM_ST_ATTEST } from '../../src/core/tpm/attest.ts'
import { parseTpmtPublic } from '../../src/core/tpm/public.ts'
import {
  keyObjectOf,
  parseTpmtSignature,
  type TpmtSignature,
} from '../../src/core/tpm/signature.ts'
import { TPM_ALG } from '../../src/core/tpm/algorithm.ts'
import { verifyAttestationKey } from '../../src/core/verifier/attestation-key.ts'
import { EvidenceError } from '../../src/core/verifier/error.ts'
import type { Finding, Verdict } from './vector.ts'

/** A dump of go-attestation, the members that are used; binary members in base64. */
interface Dump {
  readonly AK: { readonly Public: string; readonly CreateAttestation: string }
  readonly Quote: { readonly Quote: string; readonly Signature: string }
  readonly Log: {
    readonly PCRs: readonly { readonly Index: number; readonly Digest: string }[]
  }
}

/**
 * A quote in a dump of go-attestation. That it is genuine is found by the runtime alone, SHA-1 as it may be; what the
 * verifier says of its key is another matter, and must be that it is weak and not that it is forged.
 */
export function goAttestationFindings(
  file: string,
  expected: Verdict,
  bytes: Uint8Array,
): Finding[] {
  const dump = JSON.parse(Buffer.from(bytes).toString('utf8')) as Dump
  const genuine = isGenuine(dump) ? 'accept' : 'refuse'
  const refusal = refusalOf(decode(dump.AK.Public))
  const found = refusal === undefined ? 'accept' : refusal === 'ak-scheme' ? 'refuse' : 'malformed'
  return [
    { name: `${file}, whether genuine`, expected: 'accept', found: genuine },
    { name: file, expected, found, detail: refusal ?? '' },
  ]
}

function isGenuine({ AK, Quote, Log }: Dump): boolean {
  const area = parseTpmtPublic(decode(AK.Public))
  const [creation, quote] = [AK.CreateAttestation, Quote.Quote].map(decode) as [
    Uint8Array,
    Uint8Array,
  ]
  const { attested } = parseTpmsAttest(quote)
  const key = keyObjectOf(area)
  const signature = parseTpmtSignature(decode(Quote.Signature))
  if (key === undefined || attested.type !== TPM_ST_ATTEST.quote) return false
  const digest = createHash('sha1')
  for (const { Digest } of Log.PCRs.toSorted((left, right) => left.Index - right.Index))
    digest.update(decode(Digest))
  return (
    isWhole(creation) &&
    isWhole(quote) &&
    verify('sha1', quote, key, valueOf(signature)) &&
    Buffer.compare(digest.digest(), attested.pcrDigest) === 0
  )
}

function valueOf(signature: TpmtSignature): Uint8Array {
  return signature.algorithm === TPM_ALG.ECDSA ? new Uint8Array() : signature.value
}

function isWhole(attest: Uint8Array): boolean {
  return Buffer.compare(encodeTpmsAttest(parseTpmsAttest(attest)), attest) === 0
}

function refusalOf(area: Uint8Array): string | undefined {
  try {
    verifyAttestationKey({ public: area })
    return undefined
  } catch (error) {
    if (error instanceof EvidenceError) return error.code
    throw error
  }
}

function decode(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64')
}
