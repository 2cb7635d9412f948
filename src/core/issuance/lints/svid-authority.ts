import type { CertificateLint } from '../lint.ts'

/** A leaf is no CA, a signing certificate is one. */
export const svidAuthority: CertificateLint = {
  code: 'lint-svid-authority',
  summary: 'A leaf says that it is an authority, or an authority that it is none.',
  source: 'X509-SVID §4.1',
  find: ({ fields }, { svid, authority }) => {
    const isAuthority = fields.extensions.basicConstraints?.isAuthority === true
    return svid === undefined || isAuthority === (authority !== undefined)
      ? undefined
      : `cA ${isAuthority}`
  },
}
