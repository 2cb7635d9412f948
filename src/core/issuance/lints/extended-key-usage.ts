import type { CertificateLint } from '../lint.ts'

/** Exactly the purposes that were promised. */
export const extendedKeyUsage: CertificateLint = {
  code: 'lint-extended-key-usage',
  summary: 'The purposes of the key are not those that were promised.',
  source: 'RFC 5280 §4.2.1.12',
  find: ({ fields }, terms) => {
    const found = (fields.extensions.extendedKeyUsage ?? []).join(' ')
    return found === terms.extendedKeyUsage.join(' ') ? undefined : found || 'none'
  },
}
