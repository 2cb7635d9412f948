import { CheckRecorder } from '../../src/core/verifier/check.ts'
import { verifyEndorsementCertificate } from '../../src/core/verifier/endorsement-certificate.ts'
import { EvidenceError } from '../../src/core/verifier/error.ts'
import type { TrustAnchor } from '../../src/core/verifier/trust-anchor.ts'
import { loadCertificateStore } from './certificates.ts'
import type { Finding, ManifestEntry, Verdict } from './vector.ts'

/** All the genuine certificates were valid then, the one that is refused as expired among them. */
const now = new Date('2023-06-01T00:00:00Z')

/**
 * An EK certificate or the contents of an NV index, as a host presents it, against the vendors' roots and with their
 * intermediates at hand. What is accepted must be refused once the root that it leads to is not admitted.
 */
export function check(entry: ManifestEntry, bytes: Uint8Array, folder: string): Finding[] {
  const { anchors, intermediates } = loadCertificateStore(folder, now)
  const outcome = verify(bytes, intermediates, anchors)
  const expected = entry.verdict === 'suite' ? 'refuse' : entry.verdict
  const finding = { name: entry.file, expected, found: outcome.found, detail: outcome.detail }
  if (outcome.anchor === undefined) return [finding]
  const others = anchors.filter(({ fingerprint }) => fingerprint !== outcome.anchor)
  const { found, detail } = verify(bytes, intermediates, others)
  return [finding, { name: `${entry.file} without its root`, expected: 'refuse', found, detail }]
}

interface Outcome {
  readonly found: Verdict
  readonly detail: string
  readonly anchor?: string
}

function verify(
  certificate: Uint8Array,
  intermediates: readonly Uint8Array[],
  anchors: readonly TrustAnchor[],
): Outcome {
  const evidence = { certificate, chain: [], intermediates, anchors, now }
  try {
    const { anchor, quirks } = verifyEndorsementCertificate(evidence, new CheckRecorder())
    return { found: 'accept', detail: quirks.join(', '), anchor: anchor.fingerprint }
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    const isMalformed = error.code === 'ek-certificate-malformed'
    return { found: isMalformed ? 'malformed' : 'refuse', detail: error.code }
  }
}
