import { verifyCertified, type CeremonyAuthority } from '../../core/ceremony/authority.ts'
import { certifyBelow } from './below.ts'
import type { CeremonyContext } from './context.ts'
import { loadIssuer } from './issuer.ts'
import type { CeremonyOutcome } from './outcome.ts'
import { readBlock } from './place.ts'
import { requireReviewed } from './reviewed.ts'
import type { CrossScript } from './script.ts'

/** Certifies name and key of an authority that has a certificate already: the bridge between two roots. */
export async function holdCrossCertificate(
  script: CrossScript,
  context: CeremonyContext,
): Promise<CeremonyOutcome> {
  const { trustDomain } = script
  const wanted = { trustDomain, usage: 'keyCertSign' } as const
  const issuer = await loadIssuer(script.issuer, wanted, context)
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
  requireReviewed(bytes, certified.sha256)
  return verifyCertified(bytes, { trustDomain, now })
}
