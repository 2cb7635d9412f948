import { hash } from 'node:crypto'
import { parseCertificate, type Certificate } from './certificate.ts'

/** Certificates of a store that is read anew for each request, and hardly ever changes. */
const known = new Map<string, Certificate>()
const knownLimit = 4096

/**
 * As {@link parseCertificate}, for certificates that come again and again: the same bytes are read once.
 *
 * @throws X509Error `certificate-malformed`
 */
export function parseKnownCertificate(bytes: Uint8Array): Certificate {
  const digest = hash('sha256', bytes, 'base64')
  const before = known.get(digest)
  if (before !== undefined) return before
  const certificate = parseCertificate(Uint8Array.from(bytes))
  const [oldest] = known.keys()
  if (known.size >= knownLimit && oldest !== undefined) known.delete(oldest)
  known.set(digest, certificate)
  return certificate
}
