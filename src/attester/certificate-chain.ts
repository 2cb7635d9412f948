import { X509Certificate, type KeyObject } from 'node:crypto'
import type { Answer } from './answer.ts'
import { AttesterError } from './error.ts'

/** A certificate of the service with those above it, PEM, the holder's own first. */
export type CertificateChain = readonly string[]

/**
 * Reads the certificates of an answer, and sees that the first is for the key that was proven.
 *
 * @throws AttesterError `answer-malformed`
 */
export function readCertificateChain(answer: Answer, key: KeyObject): CertificateChain {
  const certificates = answer.list('certificateChain', parseCertificatePem)
  const [own] = certificates
  if (own?.publicKey.equals(key) !== true) {
    throw new AttesterError('answer-malformed', { expected: 'a certificate for this key' })
  }
  return certificates.map(certificate => certificate.toString())
}

function parseCertificatePem(value: unknown, place: string): X509Certificate {
  try {
    return new X509Certificate(String(value))
  } catch (cause) {
    throw new AttesterError('answer-malformed', { expected: `${place}: a certificate`, cause })
  }
}
