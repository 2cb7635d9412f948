import type { CertificateLint } from '../lint.ts'

/** The key of an authority is a point on a curve that its profile names: whoever verifies here knows no other. */
export const authorityKey: CertificateLint = {
  code: 'lint-authority-key',
  summary: 'The key of the authority is not on a curve that its profile allows.',
  source: 'ca/profiles; RFC 5480 §2.1.1; NIST SP 800-57 Part 1 r5 §5.6.1',
  find: ({ fields: { publicKey }, key }, { authority }) => {
    if (authority === undefined) return undefined
    const curve = publicKey.kind === 'ec' ? publicKey.curve : publicKey.kind
    const isAllowed = authority.curves.some(allowed => allowed === curve)
    return isAllowed && key !== undefined ? undefined : curve
  },
}
