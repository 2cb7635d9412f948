import { extensionIds } from '../extension-name.ts'
import { hexOf, isSameBytes, type CertificateLint } from '../lint.ts'

/** Critical, exactly those that were asked for, and such that the authority may issue for its own trust domain. */
export const nameConstraints: CertificateLint = {
  code: 'lint-name-constraints',
  summary: 'The name constraints are not those of the ceremony, or shut out the trust domain.',
  source: 'RFC 5280 §4.2.1.10; X509-SVID §4.2',
  find: (certificate, { authority, svid }) => {
    const { rawExtensions, extensions } = certificate.fields
    const found = rawExtensions.find(({ id }) => id === extensionIds.nameConstraints)
    const value = found?.value ?? Uint8Array.of()
    if (!isSameBytes(value, authority?.nameConstraints ?? Uint8Array.of())) return hexOf(value)
    if (found === undefined) return undefined
    if (!found.isCritical) return 'constraints that are not critical'
    const hosts = extensions.nameConstraints?.permitted.filter(({ kind }) => kind === 'uri') ?? []
    const isOpen =
      hosts.length === 0 || hosts.some(host => 'text' in host && svid === `spiffe://${host.text}`)
    return isOpen ? undefined : 'no constraint that permits the trust domain'
  },
}
