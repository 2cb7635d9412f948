import { X509Certificate } from 'node:crypto'
import { parseTrustAnchor, TrustAnchorError } from '../../src/core/verifier/trust-anchor.ts'
import { parseCertificate, type Certificate } from '../../src/core/x509/certificate.ts'
import { X509Error } from '../../src/core/x509/error.ts'
import { authorityViolation, keyViolation } from '../../src/core/x509/path-checks.ts'
import { PathError } from '../../src/core/x509/path-error.ts'
import { verifyPath } from '../../src/core/x509/path.ts'
import { derOf, labelsFor, loadCertificateStore, type CertificateStore } from './certificates.ts'
import type { Finding, ManifestEntry, Verdict } from './vector.ts'

/** When all the roots of the vectors were valid. */
const now = new Date('2023-06-01T00:00:00Z')
const day = 24 * 60 * 60 * 1000

/**
 * A vendor's certificate: a root must be one that can be admitted, and nothing else may be; what is below a root must
 * be fit to stand in a path. Whether it leads to a root of the folder must be what OpenSSL says too, but for SHA-1,
 * which is refused here.
 */
export function check(entry: ManifestEntry, bytes: Uint8Array, folder: string): Finding[] {
  const der = derOf(bytes)
  const expected = entry.verdict === 'suite' ? 'refuse' : entry.verdict
  const certificate = parse(der)
  if (certificate === undefined) return [{ name: entry.file, expected, found: 'malformed' }]
  const time = certificate.fields.notBefore + day
  const admitted = admit(der, entry.file, new Date(time))
  if (certificate.isSelfIssued) return [{ name: entry.file, expected, ...admitted }]
  const asAnchor = { name: `${entry.file} as an anchor`, expected: 'refuse' as const, ...admitted }
  const fit = keyViolation(certificate) ?? authorityViolation(certificate, time)?.found
  const found = fit === undefined ? 'accept' : 'refuse'
  const asAuthority = { name: entry.file, expected, found, detail: fit ?? '' } as const
  const store = loadCertificateStore(folder, now)
  return [asAuthority, asAnchor, comparePath(entry.file, certificate, store)]
}

function parse(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der)
  } catch (error) {
    if (error instanceof X509Error) return undefined
    throw error
  }
}

function admit(der: Uint8Array, file: string, time: Date): { found: Verdict; detail: string } {
  try {
    parseTrustAnchor(der, labelsFor(file), time)
    return { found: 'accept', detail: '' }
  } catch (error) {
    if (error instanceof TrustAnchorError) return { found: 'refuse', detail: error.code }
    throw error
  }
}

function comparePath(file: string, certificate: Certificate, store: CertificateStore): Finding {
  const isStrong = certificate.fields.algorithm?.isStrong === true
  const expected = isStrong && leadsToRoot(certificate, store) ? 'accept' : 'refuse'
  const name = `${file} to a root`
  try {
    verifyPath({
      leaf: certificate,
      intermediates: store.intermediates.map(parseCertificate),
      anchors: store.anchors.map(anchor => parseCertificate(anchor.certificate)),
      time: Math.max(now.getTime(), certificate.fields.notBefore + day),
      tolerances: () => new Set(['unsorted-set', 'padded-bits', 'encoded-default']),
    })
    return { name, expected, found: 'accept' }
  } catch (error) {
    if (error instanceof PathError) return { name, expected, found: 'refuse', detail: error.code }
    throw error
  }
}

/** The second opinion: who issued whom, and whose key verifies, by the runtime's own X.509. */
function leadsToRoot(certificate: Certificate, store: CertificateStore): boolean {
  const roots = store.anchors.map(anchor => new X509Certificate(anchor.certificate))
  const others = store.intermediates.map(bytes => new X509Certificate(bytes))
  let level = [new X509Certificate(certificate.fields.encoded)]
  for (let depth = 0; depth < 6; depth += 1) {
    if (level.some(child => roots.some(root => isIssued(child, root)))) return true
    level = others.filter(other => level.some(child => isIssued(child, other)))
  }
  return false
}

function isIssued(child: X509Certificate, issuer: X509Certificate): boolean {
  return child.checkIssued(issuer) && child.verify(issuer.publicKey)
}
