import type { CertificateLint } from '../lint.ts'

/** An authority says how many stand below it at most: no more than its profile allows, and fewer than its issuer may have. */
export const pathLength: CertificateLint = {
  code: 'lint-path-length',
  summary: 'More authorities may stand below this one than its profile or its issuer allows.',
  source: 'RFC 5280 §4.2.1.9, §6.1.4 (l), (m); ca/profiles',
  find: ({ fields }, { authority, issuer }) => {
    if (authority === undefined) return undefined
    const found = fields.extensions.basicConstraints?.pathLength ?? Infinity
    const most = Math.min(authority.maxPathLength, (issuer.pathLength ?? Infinity) - 1)
    return found <= most ? undefined : `${found}, at most ${most}`
  },
}
