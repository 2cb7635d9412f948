import { createHash } from 'node:crypto'
import { encodeOcspQuestion } from '../core/x509/ocsp-question.ts'
import { parseKnownCertificate } from '../core/x509/known-certificate.ts'
import { answerOcsp } from './ocsp.ts'
import type { Service } from './service.ts'

/**
 * The OCSP answer on the service's own certificate, for clients that ask for it in the handshake; null where there is
 * none now.
 *
 * @param certificate of the server; `issuer` the one above it; both DER
 * @see RFC 6066 §8, RFC 8446 §4.4.2.1
 */
export async function stapleOf(
  service: Service,
  certificate: Uint8Array,
  issuer: Uint8Array,
): Promise<Buffer | null> {
  const question = encodeOcspQuestion(
    parseKnownCertificate(certificate),
    parseKnownCertificate(issuer),
  )
  const authorityId = createHash('sha256').update(issuer).digest('hex')
  // What is asked here is about one certificate, and nobody chooses it.
  const { bytes, kept } = await answerOcsp(service, authorityId, question, () => undefined)
  return kept === undefined ? null : Buffer.from(bytes)
}
