import { DerError } from '../der/error.ts'
import type { DerReader } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { readOctetBits } from '../der/value.ts'
import { signatureAlgorithmOf, type SignatureAlgorithm } from './signature-algorithm.ts'

/** What certificates, lists and OCSP answers have in common. */
export interface SignedDocument {
  /** What is signed. */
  readonly signed: Uint8Array
  /** DER AlgorithmIdentifier. */
  readonly identifier: Uint8Array
  /** Undefined for an algorithm without a row. */
  readonly algorithm: SignatureAlgorithm | undefined
  readonly signature: Uint8Array
}

/**
 *     SIGNED { ToBeSigned } ::= SEQUENCE { toBeSigned, algorithm AlgorithmIdentifier, signature BIT STRING }
 *
 * Reads the members inside the SEQUENCE; whatever follows is left in the reader. Throws DerError.
 */
export function readSignedDocument(reader: DerReader): SignedDocument {
  const signed = reader.encoded(TAG.sequence)
  const identifier = reader.encoded(TAG.sequence)
  const signature = readOctetBits(reader)
  return { signed, identifier, algorithm: signatureAlgorithmOf(identifier), signature }
}

/** The algorithm is named twice, and must be the same. Throws DerError. RFC 5280 §4.1.1.2, §5.1.1.2. */
export function readSameAlgorithm(reader: DerReader, identifier: Uint8Array): void {
  if (Buffer.compare(reader.encoded(TAG.sequence), identifier) !== 0) {
    throw new DerError('der-value', { expected: 'the same signature algorithm in both places' })
  }
}
