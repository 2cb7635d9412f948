import { createHash } from 'node:crypto'
import * as der from '../der/writer.ts'
import type { Certificate } from './certificate.ts'

/** AlgorithmIdentifier of SHA-1: what names issuers wherever answers are kept (RFC 5019 §2.1.1). */
const sha1 = der.sequence(der.objectIdentifier('1.3.14.3.2.26'), Uint8Array.of(0x05, 0x00))

/**
 * Asks about one certificate: DER OCSPRequest without nonce.
 *
 * @see RFC 6960 §4.1.1, RFC 5019 §2.1
 */
export function encodeOcspQuestion(certificate: Certificate, issuer: Certificate): Uint8Array {
  const digest = (bytes: Uint8Array): Uint8Array =>
    der.octetString(createHash('sha1').update(bytes).digest())
  const id = der.sequence(
    sha1,
    digest(issuer.fields.subject.encoded),
    digest(issuer.fields.keyBits),
    der.unsignedInteger(certificate.fields.serialNumber),
  )
  return der.sequence(der.sequence(der.sequence(der.sequence(id))))
}
