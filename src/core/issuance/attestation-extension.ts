import { parseDer } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { readObjectIdentifier } from '../der/value.ts'
import * as der from '../der/writer.ts'
import { DerError } from '../der/error.ts'
import { assuranceLevels, type AssuranceLevel } from '../verifier/assurance.ts'
import { parseCertificate } from '../x509/certificate.ts'
import { readAs } from '../x509/error.ts'
import { extensionIds } from './extension-name.ts'

/** On what the key of a certificate rests. */
export interface AttestationReference {
  readonly assurance: AssuranceLevel
  /** Hex SHA-256 of the Attestation Result: of the signed EAR, its compact JWS as ASCII. */
  readonly resultSha256: string
}

const sha256 = '2.16.840.1.101.3.4.2.1'
const sha256Identifier = der.sequence(der.objectIdentifier(sha256))

/**
 *     AssuranceLevel ::= UTF8String -- one of the levels by its word: "tpm-discrete", "hsm-attested", …
 */
export function encodeAssuranceLevel({ assurance }: AttestationReference): Uint8Array {
  return der.utf8String(assurance)
}

/**
 *     AttestationResult ::= SEQUENCE {
 *       hashAlgorithm AlgorithmIdentifier, -- id-sha256 without parameters (RFC 5754 §2)
 *       digest        OCTET STRING }       -- of the compact JWS of the EAR
 */
export function encodeAttestationResult({ resultSha256 }: AttestationReference): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(resultSha256)) throw new TypeError('a SHA-256 digest in hex')
  return der.sequence(sha256Identifier, der.octetString(Buffer.from(resultSha256, 'hex')))
}

/**
 * What a certificate of a host or agent says of its hardware, for relying parties: read it after the certificate has
 * been verified, and compare the digest with the one of the EAR that you were given. Undefined for a certificate
 * without these extensions.
 *
 * @param certificate DER
 * @throws X509Error `certificate-malformed`: the certificate or one of the extensions cannot be read, one stands
 *   without the other, or the level or the hash is unknown
 */
export function parseAttestationReference(
  certificate: Uint8Array,
): AttestationReference | undefined {
  const { rawExtensions } = parseCertificate(certificate).fields
  const valueOf = (id: string): Uint8Array | undefined =>
    rawExtensions.find(extension => extension.id === id)?.value
  const level = valueOf(extensionIds.assuranceLevel)
  const result = valueOf(extensionIds.attestationResult)
  if (level === undefined && result === undefined) return undefined
  return readAs('certificate-malformed', () => {
    if (level === undefined || result === undefined)
      throw new DerError('der-value', { expected: 'assurance level and Attestation Result' })
    return { assurance: readAssuranceLevel(level), resultSha256: readResult(result) }
  })
}

function readAssuranceLevel(value: Uint8Array): AssuranceLevel {
  const text = Buffer.from(value).toString('latin1')
  const level = assuranceLevels.find(
    word => text === `\x0c${String.fromCharCode(word.length)}${word}`,
  )
  if (level === undefined) throw new DerError('der-value', { expected: 'a known assurance level' })
  return level
}

function readResult(value: Uint8Array): string {
  return parseDer(value, TAG.sequence, reader => {
    const algorithm = reader.within(TAG.sequence, inside => readObjectIdentifier(inside))
    const digest = reader.contents(TAG.octetString)
    if (algorithm !== sha256 || digest.length !== 32)
      throw new DerError('der-value', { expected: 'a SHA-256 digest' })
    return Buffer.from(digest).toString('hex')
  })
}
