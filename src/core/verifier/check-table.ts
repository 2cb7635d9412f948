import type { ErrorRow } from '../coded-error.ts'
import { ekCheckRows } from '../ek/check-rows.ts'
import { eventLogCheckRows } from '../eventlog/check-rows.ts'
import { hsmCheckRows } from '../formats/hsm/check-rows.ts'
import { imaCheckRows } from '../ima/check-rows.ts'
import { statementCheckRows } from '../webauthn/check-rows.ts'

type CheckRow = ErrorRow & { readonly source: string }

const forged =
  'Evidence like this does not come from the host tool. Treat the host as hostile until you know why.'
const again = 'Begin again with a new challenge, and answer it once.'
const createKey =
  'Create the key with the attributes that the host tool uses; `assay agent create` does.'

const endorsementRows = {
  'ek-public-malformed': {
    summary: 'The public area of the endorsement key cannot be read.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §12.2.4 TPMT_PUBLIC',
  },
  'ek-public-differs': {
    summary: 'The endorsement key is not the one in its certificate.',
    hint: 'Send the public area of the key that the certificate was issued for.',
    source: 'TCG EK Credential Profile v2.5 §3.2 Public Key Info; verification T1',
  },
  'ek-template': {
    summary: 'The endorsement key was not created from a known template.',
    hint: 'Create it from the TCG template that goes with its certificate; other parameters are not challenged.',
    source: 'TCG EK Credential Profile v2.5 Annex B; verification T2',
  },
} as const

const attestationKeyRows = {
  'ak-public-malformed': {
    summary: 'The public area of the attestation key cannot be read.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §12.2.4 TPMT_PUBLIC',
  },
  'ak-attributes': {
    summary:
      'The attestation key lacks an attribute that keeps it in its TPM, or has one that would let it out.',
    hint: 'Create it fixed to TPM and parent, born there, restricted and for signing only.',
    source:
      'TPM 2.0 Part 2 r01.59 §8.3 TPMA_OBJECT; TPM 2.0 Keys for Device Identity and Attestation v1.00 §7.3.4',
  },
  'ak-name-algorithm': {
    summary: 'The name of the attestation key is built with a hash that is not accepted.',
    hint: 'Create it with SHA-256, SHA-384 or SHA-512 as name algorithm.',
    source: 'TPM 2.0 Part 1 r01.59 §16; verification K4',
  },
  'ak-scheme': {
    summary: 'The attestation key has no explicit, strong signature scheme.',
    hint: 'Create it with ECDSA, RSASSA or RSAPSS and SHA-256 or stronger.',
    source: 'TPM 2.0 Part 2 r01.59 §11.2.1; verification K2',
  },
  'ak-key-weak': {
    summary: 'The attestation key is too weak, or its point does not lie on its curve.',
    hint: 'Create it on P-256, P-384 or P-521, or as RSA of 2048 bits or more with the usual exponent.',
    source: 'NIST SP 800-57 Part 1 r5 §5.6.1; verification K3',
  },
  'ak-symmetric': {
    summary:
      'The attestation key names a symmetric algorithm or a key derivation, which a signing key has none of.',
    hint: createKey,
    source: 'TPM 2.0 Part 2 r01.59 §12.2.3.5; verification K5',
  },
} as const

const attestRows = {
  'certify-malformed': {
    summary: 'The certification of the subject key cannot be read.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §10.12.12 TPMS_ATTEST',
  },
  'certify-signature': {
    summary: 'The certification is not signed by the attestation key of this enrolment.',
    hint: forged,
    source: 'TPM 2.0 Part 3 r01.59 §18.2 TPM2_Certify; verification F7, F9',
  },
  'certify-magic': {
    summary: 'The certification does not begin as structures do that a TPM made itself.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §6.2 TPM_GENERATED_VALUE',
  },
  'certify-type': {
    summary: 'The attestation is not one of TPM2_Certify.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §6.9 TPM_ST_ATTEST_CERTIFY; verification F1',
  },
  'certify-binding': {
    summary: 'The certification was not made for this challenge and this certificate request.',
    hint: again,
    source: 'TPM 2.0 Part 3 r01.59 §18.2 qualifyingData; verification F2',
  },
  'certify-signer': {
    summary: 'The certification was signed by a key outside the endorsement hierarchy.',
    hint: 'Create the attestation key as a primary key of the endorsement hierarchy; others hide resets of the TPM.',
    source: 'TPM 2.0 Part 1 r01.59 §16 Qualified Name; verification Q7',
  },
  'certify-name': {
    summary: 'The TPM certified another key than the one presented.',
    hint: forged,
    source: 'TPM 2.0 Part 1 r01.59 §16 Name; verification F3',
  },
  'subject-public-malformed': {
    summary: 'The public area of the subject key cannot be read.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §12.2.4 TPMT_PUBLIC',
  },
  'subject-attributes': {
    summary:
      'The subject key lacks an attribute that keeps it in its TPM, or is not for plain signing.',
    hint: createKey,
    source: 'TPM 2.0 Part 2 r01.59 §8.3 TPMA_OBJECT; verification F4',
  },
  'subject-name-algorithm': {
    summary: 'The name of the subject key is built with a hash that is not accepted.',
    hint: createKey,
    source: 'TPM 2.0 Part 1 r01.59 §16; verification F10',
  },
  'subject-key-weak': {
    summary: 'The subject key is too weak, of another kind than P-256 or P-384, or off its curve.',
    hint: createKey,
    source: 'NIST SP 800-57 Part 1 r5 §5.6.1; RFC 7518 §3.4',
  },
  'subject-scheme': {
    summary: 'The subject key is bound to a signature scheme that is not accepted.',
    hint: createKey,
    source: 'TPM 2.0 Part 2 r01.59 §11.2.1',
  },
  'subject-policy': {
    summary: 'The subject key carries an authorization policy that nobody promised.',
    hint: createKey,
    source: 'TPM 2.0 Part 1 r01.59 §19.7; verification F8',
  },
  'subject-parent-malformed': {
    summary: 'The public area of the storage key above the subject key cannot be read.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §12.2.4 TPMT_PUBLIC; verification P1',
  },
  'subject-parent': {
    summary: 'The parent of the subject key is not a storage key that stays in its TPM.',
    hint: createKey,
    source: 'TPM 2.0 Part 1 r01.59 §23; verification F6',
  },
  'subject-parentage': {
    summary:
      'The subject key does not stand where the host says, below its storage key in the owner or endorsement hierarchy.',
    hint: createKey,
    source: 'TPM 2.0 Part 1 r01.59 §16 Qualified Name; verification F6',
  },
  'csr-unreadable': {
    summary: 'The certificate request of the subject key cannot be read.',
    hint: 'Send one PKCS #10 request in DER, signed with the algorithm that goes with its key.',
    source: 'RFC 2986 §4; verification A3',
  },
  'csr-unsigned': {
    summary: 'The certificate request is not signed by the key that the TPM certified.',
    hint: 'Sign the request with the very key that the TPM certified.',
    source: 'RFC 2986 §4.2; verification F5',
  },
  'csr-key-differs': {
    summary: 'The certificate request is for a key that the TPM did not certify.',
    hint: 'Request the certificate for the certified key; no other key gets one.',
    source: 'RFC 2986 §4.1; verification F5',
  },
  'quote-malformed': {
    summary: 'The quote cannot be read.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §10.12.12 TPMS_ATTEST',
  },
  'quote-signature': {
    summary: 'The quote is not signed by the attestation key of this enrolment.',
    hint: forged,
    source: 'TPM 2.0 Part 3 r01.59 §18.4 TPM2_Quote; verification F7',
  },
  'quote-magic': {
    summary: 'The quote does not begin as structures do that a TPM made itself.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §6.2 TPM_GENERATED_VALUE',
  },
  'quote-type': {
    summary: 'The attestation is not one of TPM2_Quote.',
    hint: forged,
    source: 'TPM 2.0 Part 2 r01.59 §6.9 TPM_ST_ATTEST_QUOTE; verification Q1',
  },
  'quote-nonce': {
    summary: 'The quote was not made for this challenge.',
    hint: again,
    source: 'TPM 2.0 Part 3 r01.59 §18.4 qualifyingData; verification Q2',
  },
  'quote-signer': {
    summary: 'The quote was signed by a key outside the endorsement hierarchy.',
    hint: 'Create the attestation key as a primary key of the endorsement hierarchy.',
    source: 'TPM 2.0 Part 1 r01.59 §16 Qualified Name; verification Q7',
  },
  'quote-selection': {
    summary:
      'The quote does not cover exactly the PCRs that were asked for, in a bank that is accepted.',
    hint: 'Have the firmware extend the SHA-256 bank, and quote what the challenge names.',
    source: 'TPM 2.0 Part 2 r01.59 §10.6.1 TPMS_PCR_SELECTION; verification Q3, Q4',
  },
  'quote-pcr-values': {
    summary: 'The PCR values do not go with the selection of the quote.',
    hint: 'Send one value of 32 bytes for each PCR of the selection and no other.',
    source: 'verification Q3, Q6',
  },
  'quote-pcr-digest': {
    summary: 'The PCR values are not those that the TPM signed.',
    hint: 'Read the PCRs again after the quote; they may have changed in between.',
    source: 'TPM 2.0 Part 2 r01.59 §10.12.4 TPMS_QUOTE_INFO; verification Q5',
  },
  'quote-clock': {
    summary: 'Quote and certification were not made in one run of one TPM.',
    hint: 'Do not restart the machine between the two; begin again.',
    source: 'TPM 2.0 Part 2 r01.59 §10.11.1 TPMS_CLOCK_INFO; verification Q12',
  },
  'activation-proof': {
    summary:
      'The answer does not show the secret that only the challenged TPM can recover, for this very evidence.',
    hint: 'Answer from the machine whose TPM was challenged.',
    source: 'TPM 2.0 Part 1 r01.59 §24 Credential Protection; verification C3, C4',
  },
} as const

/** Every check the verifier makes: its code, what a refusal says, and the rule it stands on. */
export const checkTable = {
  ...ekCheckRows,
  ...endorsementRows,
  ...attestationKeyRows,
  ...attestRows,
  ...eventLogCheckRows,
  ...imaCheckRows,
  ...statementCheckRows,
  ...hsmCheckRows,
} as const satisfies Record<string, CheckRow>

export type CheckCode = keyof typeof checkTable
