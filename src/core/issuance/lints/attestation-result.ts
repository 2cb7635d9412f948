import { encodeAttestationResult } from '../attestation-extension.ts'
import { extensionIds } from '../extension-name.ts'
import { hexOf, isSameBytes, type CertificateLint } from '../lint.ts'

/** The digest in the certificate is that of the Attestation Result; where there is none, none stands there. */
export const attestationResult: CertificateLint = {
  code: 'lint-attestation-result',
  summary: 'The digest is not that of the Attestation Result.',
  source: 'ca/profiles',
  find: ({ fields }, { attestation }) => {
    const id = extensionIds.attestationResult
    const found = fields.rawExtensions.find(extension => extension.id === id)?.value
    const expected = attestation === undefined ? undefined : encodeAttestationResult(attestation)
    return isSameBytes(found ?? Uint8Array.of(), expected ?? Uint8Array.of())
      ? undefined
      : hexOf(found ?? Uint8Array.of()) || 'none'
  },
}
