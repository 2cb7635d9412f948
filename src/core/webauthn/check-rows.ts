import type { ErrorRow } from '../coded-error.ts'

const forged =
  'A statement like this does not come from a TPM. Treat the sender as hostile until you know why.'
const authority =
  'Ask the authority that certifies attestation keys for a certificate that follows the profile.'
const again = 'Begin again, and bind the statement to the challenge that was given.'

/** The checks of a `tpm` attestation statement and of the certificate that it is signed under. */
export const statementCheckRows = {
  'statement-malformed': {
    summary: 'The attestation object is not one CBOR map of exactly the members that it must have.',
    hint: forged,
    source: 'Web Authentication Level 2 §6.5.4; RFC 8949 §4.2.1; verification P1, P4',
  },
  'statement-format': {
    summary: 'The statement is not one of format tpm, version 2.0, under a certificate.',
    hint: 'Send a statement of format tpm; ECDAA and self attestation are not accepted.',
    source: 'Web Authentication Level 2 §8.3; verification section 16',
  },
  'statement-algorithm': {
    summary: 'The signature algorithm is weak, unknown, or does not go with the key.',
    hint: 'Sign with ECDSA, RSASSA-PKCS1-v1_5 or RSASSA-PSS and SHA-256 or stronger.',
    source: 'Web Authentication Level 2 §8.3; RFC 9053 §2.1; RFC 8812 §2; verification A1, A2',
  },
  'statement-attest-malformed': {
    summary: 'The certification in the statement, or its signature, cannot be read.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §10.12.12 TPMS_ATTEST, §11.3.4 TPMT_SIGNATURE; verification F7',
  },
  'statement-signature': {
    summary: 'The certification is not signed by the attestation key of the certificate.',
    hint: forged,
    source: 'Web Authentication Level 2 §8.3; verification F7',
  },
  'statement-magic': {
    summary: 'The certification does not begin as structures do that a TPM made itself.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §6.2 TPM_GENERATED_VALUE; verification section 16',
  },
  'statement-type': {
    summary: 'The attestation is not one of TPM2_Certify.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §6.9 TPM_ST_ATTEST_CERTIFY; verification F1',
  },
  'statement-binding': {
    summary: 'The certification was not made for this challenge.',
    hint: again,
    source: 'Web Authentication Level 2 §8.3; draft-ietf-acme-device-attest-09 §5; verification F2',
  },
  'statement-public-malformed': {
    summary: 'The public area of the certified key cannot be read.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §12.2.4 TPMT_PUBLIC',
  },
  'statement-attributes': {
    summary:
      'The certified key lacks an attribute that keeps it in its TPM, or may do other than sign.',
    hint: 'Create the key fixed to TPM and parent, born there, for signing and not restricted.',
    source: 'TPM 2.0 Part 2 r01.59 §8.3 TPMA_OBJECT; verification F4',
  },
  'statement-name-algorithm': {
    summary: 'The name of the certified key is built with a hash that is not accepted.',
    hint: 'Create it with SHA-256, SHA-384 or SHA-512 as name algorithm.',
    source: 'TPM 2.0 Part 1 r01.59 §16; verification F10',
  },
  'statement-scheme': {
    summary: 'The certified key has a scheme that is weak or not for signing.',
    hint: 'Leave the scheme open, or name ECDSA, RSASSA or RSAPSS with SHA-256 or stronger.',
    source: 'TPM 2.0 Part 2 r01.59 §12.2.3.5, §12.2.3.6; verification F8, A1',
  },
  'statement-key-kind': {
    summary: 'The certified key is of a kind that is not taken here.',
    hint: 'Create a key of the kind that was asked for.',
    source: 'Web Authentication Level 2 §5.4 pubKeyCredParams; RFC 8555 §7.4; verification A4',
  },
  'statement-key-weak': {
    summary: 'The certified key is too weak, or its point does not lie on its curve.',
    hint: 'Create it on P-256, P-384 or P-521, or as RSA of 2048 bits or more.',
    source: 'NIST SP 800-57 Part 1 r5 §5.6.1; verification A3, E11',
  },
  'statement-name': {
    summary: 'The TPM certified another key than the one presented.',
    hint: forged,
    source: 'TPM 2.0 Part 1 r01.59 §16 Name; verification F3',
  },
  'statement-authenticator-data': {
    summary: 'The authenticator data is absent, malformed or without a credential.',
    hint: forged,
    source: 'Web Authentication Level 2 §6.1, §6.5.1',
  },
  'statement-key-differs': {
    summary: 'The credential is another key than the one that the TPM certified.',
    hint: forged,
    source: 'Web Authentication Level 2 §8.3; verification F5',
  },
  'aik-certificate-malformed': {
    summary:
      'The certificate of the attestation key cannot be read as exactly one certificate in DER.',
    hint: authority,
    source: 'RFC 5280 §4.1; Web Authentication Level 2 §8.3.1; verification P1',
  },
  'aik-subject': {
    summary: 'The certificate of the attestation key has a subject, where it must have none.',
    hint: authority,
    source: 'Web Authentication Level 2 §8.3.1; verification section 16',
  },
  'aik-subject-name': {
    summary:
      'The certificate of the attestation key does not name the TPM in a critical alternative name.',
    hint: authority,
    source: 'Web Authentication Level 2 §8.3.1; TCG EK Credential Profile v2.5 §3.1.2',
  },
  'aik-extended-key-usage': {
    summary: 'The certificate does not say that its key is an attestation key.',
    hint: authority,
    source: 'Web Authentication Level 2 §8.3.1 tcg-kp-AIKCertificate; CVE-2026-40097',
  },
  'aik-key-usage': {
    summary: 'The certificate does not let its key sign.',
    hint: authority,
    source: 'RFC 5280 §4.2.1.3',
  },
  'aik-authority': {
    summary: 'The certificate is one of a certificate authority, or does not say that it is none.',
    hint: authority,
    source: 'Web Authentication Level 2 §8.3.1; verification section 16',
  },
  'aik-key-weak': {
    summary: 'The attestation key of the certificate is too weak or of an unsupported kind.',
    hint: 'RSA of 2048 bits or more and the curves P-256, P-384 and P-521 are supported.',
    source: 'NIST SP 800-57 Part 1 r5 §5.6.1; verification E11, A3',
  },
  'aik-identifier': {
    summary: 'The certificate claims another device than was asked for.',
    hint: 'Ask for the identifier that stands in the certificate of the attestation key.',
    source:
      'draft-ietf-acme-device-attest-09 §3, §4; RFC 4043 §2; RFC 4108 §5; verification section 16',
  },
  'aik-model': {
    summary: 'The certificate is for another model of authenticator than the credential says.',
    hint: forged,
    source: 'Web Authentication Level 2 §8.3 id-fido-gen-ce-aaguid',
  },
  'aik-revocation': {
    summary:
      'A certificate between the attestation key and its trust anchor was revoked by its issuer.',
    hint: 'Treat keys certified by this attestation key as lost.',
    source: 'RFC 5280 §6.3; RFC 6960 §2.2; verification section 16, E9',
  },
  'aik-revocation-unavailable': {
    summary:
      'Nobody can say whether the certificate of the attestation key was revoked, and it is asked for.',
    hint: 'Load a current certificate revocation list of the issuer.',
    source: 'RFC 5280 §6.3.3; verification E9',
  },
} as const satisfies Record<string, ErrorRow & { readonly source: string }>
