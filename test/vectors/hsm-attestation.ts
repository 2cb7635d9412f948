import { CheckRecorder } from '../../src/core/verifier/check.ts'
import { verifyEndorsementCertificate } from '../../src/core/verifier/endorsement-certificate.ts'
import { EvidenceError } from '../../src/core/verifier/error.ts'
import { derOf, loadCertificateStore } from './certificates.ts'
import type { Finding, ManifestEntry, Verdict } from './vector.ts'

/** Within the certificate's own validity, so that its age is not what refuses it. */
const now = new Date('2023-06-01T00:00:00Z')

/**
 * Assay reads no vendor's attestation of HSM keys today: its fields are never looked at, and no level of assurance can
 * come of it. The one door that a vendor's certificate can knock at is that of endorsement keys; there it is refused,
 * with every anchor of the folder admitted.
 */
export function check(entry: ManifestEntry, bytes: Uint8Array, folder: string): Finding[] {
  const expected = entry.verdict === 'suite' ? 'refuse' : entry.verdict
  return [
    { name: `${entry.file} as an endorsement certificate`, expected, ...judge(bytes, folder) },
  ]
}

function judge(bytes: Uint8Array, folder: string): { found: Verdict; detail?: string } {
  const { anchors, intermediates } = loadCertificateStore(folder, now)
  const certificate = derOf(bytes)
  try {
    const evidence = { certificate, chain: [], intermediates, anchors, now }
    verifyEndorsementCertificate(evidence, new CheckRecorder())
    return { found: 'accept' }
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    const isMalformed = error.code === 'ek-certificate-malformed'
    return { found: isMalformed ? 'malformed' : 'refuse', detail: error.code }
  }
}
