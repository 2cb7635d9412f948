import { encodeAssuranceLevel } from '../attestation-extension.ts'
import { extensionIds } from '../extension-name.ts'
import { hexOf, isSameBytes, type CertificateLint } from '../lint.ts'

/** The assurance level in the certificate is that of the Attestation Result; where there is none, none stands there. */
export const assuranceLevel: CertificateLint = {
  code: 'lint-assurance-level',
  summary: 'The assurance level is not that of the Attestation Result.',
  source: 'ca/profiles',
  find: ({ fields }, { attestation }) => {
    const found = fields.rawExtensions.find(({ id }) => id === extensionIds.assuranceLevel)?.value
    const expected = attestation === undefined ? undefined : encodeAssuranceLevel(attestation)
    return isSameBytes(found ?? Uint8Array.of(), expected ?? Uint8Array.of())
      ? undefined
      : hexOf(found ?? Uint8Array.of()) || 'none'
  },
}
