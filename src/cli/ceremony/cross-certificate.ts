import { verifyCertified, type CeremonyAuthority } from '../../core/ceremony/authority.ts'
import { CeremonyError } from '../../core/ceremony/error.ts'
import { certifyBelow, loadIssuerAbove } from './below.ts'
import type { CeremonyContext } from './context.ts'
import { sha256Of, type CeremonyOutcome } from './outcome.ts'
import { readBlock } from './place.ts'
import type { CrossScript } from './script.ts'

/** Certifies name and key of an authority that has a certificate already: the bridge between two roots. */
export async function holdCrossCertificate(
  script: CrossScript,
  context: CeremonyContext,
): Promise<CeremonyOutcome> {
  const issuer = await loadIssuerAbove(script, context)
  const { certificate, spki } = await loadCertified(script, context)
  const { subject, extensions } = certificate.fields
  const profile = context.issuance.profiles['cross-certificate']
  const { subjectKeyIdentifier } = extensions
  const whose = { profile, spki, subject: subject.encoded, subjectKeyIdentifier }
  const { facts, outputs } = await certifyBelow(script, whose, issuer, context)
  return { facts: { certifiedSha256: certificate.fingerprint, ...facts }, outputs }
}

async function loadCertified(
  { certified, trustDomain }: CrossScript,
  { place, now }: CeremonyContext,
): Promise<CeremonyAuthority> {
  const bytes = await readBlock(place(certified.file), 'CERTIFICATE')
  const found = sha256Of(bytes)
  if (found !== certified.sha256)
    throw new CeremonyError('ceremony-differs', {
      expected: `sha256:${certified.sha256}`,
      found: `sha256:${found}`,
    })
  return verifyCertified(bytes, { trustDomain, now })
}
