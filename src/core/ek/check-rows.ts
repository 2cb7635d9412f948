import type { ErrorRow } from '../coded-error.ts'
import { pathRows } from '../x509/path-rows.ts'

const genuine =
  'Present the certificate that the manufacturer issued for this very TPM, as `assay host enroll` does.'
const vendor = 'Ask the manufacturer of the TPM for a certificate that follows the profile.'
const replace =
  'Replace the TPM or update its firmware and make a new key; this one cannot be relied on.'

/** The checks of an endorsement key certificate, of the path above it, and of its key. */
export const ekCheckRows = {
  'ek-certificate-malformed': {
    summary: 'The endorsement key certificate cannot be read as exactly one certificate in DER.',
    hint: 'Send the certificate alone, without the header and padding that NV storage may add.',
    source: 'RFC 5280 §4.1; X.690 §10; verification P1, P8, E7',
  },
  ...pathRows,
  'ek-certificate-validity': {
    summary: 'The endorsement key certificate is not valid at this time.',
    hint: 'Renew it with the manufacturer, or let the operator allow expired certificates of endorsement keys.',
    source: 'RFC 5280 §4.1.2.5; TCG EK Credential Profile v2.5 §3.2 Validity; verification E13',
  },
  'ek-certificate-authority': {
    summary: 'The certificate is one of a certificate authority, not of an endorsement key.',
    hint: genuine,
    source: 'TCG EK Credential Profile v2.5 §3.2 Basic Constraints; verification E1',
  },
  'ek-extended-key-usage': {
    summary: 'The certificate does not say that its key is an endorsement key.',
    hint: genuine,
    source: 'TCG EK Credential Profile v2.5 §3.2 Extended Key Usage; verification E2',
  },
  'ek-key-usage': {
    summary:
      'The certificate is for signing, or does not say that its key only decrypts or agrees on keys.',
    hint: 'A certificate of an attestation key is not taken for one of an endorsement key.',
    source: 'TCG EK Credential Profile v2.5 §3.2 Key Usage; verification E3',
  },
  'ek-subject-name': {
    summary: 'The certificate does not name manufacturer, model and version of the TPM once each.',
    hint: vendor,
    source: 'TCG EK Credential Profile v2.5 §3.2 Subject Alternative Name; verification E4',
  },
  'ek-vendor': {
    summary: 'The certificate names another manufacturer than the trust anchor was admitted for.',
    hint: 'Look at the vendor label of the trust anchor; treat the host as hostile where the label is right.',
    source: 'TCG EK Credential Profile v2.5 §3.1.2; TCG Vendor ID Registry v1.06; verification E4',
  },
  'ek-specification': {
    summary: 'The certificate does not say that it is for a TPM of family 2.0.',
    hint: 'A TPM 1.2 cannot be enrolled.',
    source: 'TCG EK Credential Profile v2.5 §3.1.3 TPM Specification; verification E12',
  },
  'ek-production': {
    summary: 'The certificate says that its virtual TPM is not in production.',
    hint: 'Enrol a machine of the production environment of the cloud.',
    source: 'verification VT2',
  },
  'ek-key': {
    summary: 'The endorsement key is of a kind or in an encoding that is not supported.',
    hint: 'RSA and the curves P-256, P-384 and P-521 are.',
    source: 'TCG EK Credential Profile v2.5 §3.2 Public Key Info; verification E6, A4',
  },
  'ek-key-weak': {
    summary: 'The endorsement key is too weak.',
    hint: replace,
    source: 'NIST SP 800-57 Part 1 r5 §5.6.1; verification E11',
  },
  'ek-key-roca': {
    summary: 'The RSA key was made by the generator whose keys can be factored.',
    hint: replace,
    source: 'CVE-2017-15361; verification E11',
  },
  'ek-revocation': {
    summary: 'A certificate of the path was revoked by its issuer.',
    hint: replace,
    source: 'RFC 5280 §6.3; RFC 6960 §2.2; verification E9',
  },
  'ek-revocation-unavailable': {
    summary:
      'Nobody can say whether a certificate of the path was revoked, and the policy asks for it.',
    hint: 'Load a current certificate revocation list of the issuer.',
    source: 'RFC 5280 §6.3.3; verification E9',
  },
} as const satisfies Record<string, ErrorRow & { readonly source: string }>

export type EkCheckCode = keyof typeof ekCheckRows
