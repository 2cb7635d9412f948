import { attestationVendors } from '../../src/core/formats/attested/vendor-table.ts'
import type { AttestationVendor } from '../../src/core/formats/attested/vendor.ts'
import { verifyDevicePath } from '../../src/core/formats/attested/device-path.ts'
import { CheckRecorder } from '../../src/core/verifier/check.ts'
import { verifyEndorsementCertificate } from '../../src/core/verifier/endorsement-certificate.ts'
import { EvidenceError } from '../../src/core/verifier/error.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import { derOf, loadCertificateStore } from './certificates.ts'
import type { Finding, ManifestEntry, Verdict } from './vector.ts'

/** Within the certificate's own validity, so that its age is not what refuses it. */
const now = new Date('2023-06-01T00:00:00Z')

/**
 * A vendor's attestation of a key, at every door that it can knock at: as a certificate of an endorsement key, by what it
 * says itself (each vendor's module reads it), and by its path, which a sample without its device's certificate has not.
 */
export function check(entry: ManifestEntry, bytes: Uint8Array, folder: string): Finding[] {
  const expected = entry.verdict === 'suite' ? 'refuse' : entry.verdict
  const { anchors, intermediates } = loadCertificateStore(folder, now)
  const certificate = derOf(bytes)
  const asEndorsement = judge(() => {
    const evidence = { certificate, chain: [], intermediates, anchors, now }
    verifyEndorsementCertificate(evidence, new CheckRecorder())
  })
  const byVendor = attestationVendors.flatMap(vendor => [
    { name: `${entry.file} by what ${vendor.id} reads`, expected, ...read(vendor, certificate) },
    { name: `${entry.file} by its path to ${vendor.id}`, expected, ...path(vendor, certificate) },
  ])
  return [
    { name: `${entry.file} as an endorsement certificate`, expected, ...asEndorsement },
    ...byVendor,
  ]
}

type Judgement = { found: Verdict; detail?: string }

function read(vendor: AttestationVendor, bytes: Uint8Array): Judgement {
  const certificate = parseCertificate(bytes)
  return judge(() => vendor.verify(new CheckRecorder(), certificate, certificate))
}

function path(vendor: AttestationVendor, statement: Uint8Array): Judgement {
  const revocation = { lists: [], responses: [] }
  const basis = { anchors: [], intermediates: [], revocation, endorsementPolicy: {}, now }
  const evidence = { statement, chain: [statement] }
  return judge(() => verifyDevicePath(new CheckRecorder(), vendor, evidence, basis))
}

function judge(verify: () => unknown): Judgement {
  try {
    verify()
    return { found: 'accept' }
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error
    const isMalformed = error.code.endsWith('-certificate-malformed')
    return { found: isMalformed ? 'malformed' : 'refuse', detail: error.code }
  }
}
