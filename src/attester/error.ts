import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'tpm-absent': {
    summary: 'There is no TPM where one was looked for.',
    hint: 'Switch the TPM on in the firmware set-up, give the virtual machine one, or name another with --tcti or ASSAY_TCTI.',
  },
  'attestation-incomplete': {
    summary: 'The attestation of the key is not complete.',
    hint: 'Give a known --vendor, and a PEM file with the key’s attestation first and the device’s certificate after it.',
    source: 'verification section 15',
  },
  'tpm-forbidden': {
    summary: 'This user may not use the TPM.',
    hint: 'Join the group that owns the device (`sudo usermod -aG tss $USER`, then log in again), or run as root.',
  },
  'tpm-occupied': {
    summary: 'Another program holds the TPM, and this device lets in one at a time.',
    hint: 'Use the resource manager of the kernel, device:/dev/tpmrm0, which lets in any number.',
  },
  'endorsement-certificate-absent': {
    summary: 'The TPM holds no endorsement certificate.',
    hint: 'Enrol with --no-certificate: an operator then compares and approves the digest of the key.',
    source: 'TCG EK Credential Profile v2.5 §2.2.1',
  },
  'endorsement-certificate-malformed': {
    summary: 'What the TPM holds as a certificate is not one.',
    hint: 'Show the content of the index (tpm2_nvread) to the maker of the machine.',
    source: 'TCG EK Credential Profile v2.5 §2.2.1; verification E7',
  },
  'endorsement-key-differs': {
    summary: 'The TPM cannot make the endorsement key that its certificate is for.',
    hint: 'The endorsement seed was changed, or the key follows a template of its own: see the facts above.',
    source: 'TCG EK Credential Profile v2.5 §2.2.1; verification T1',
  },
  'endorsement-authorization': {
    summary: 'The endorsement hierarchy of this TPM asks for an authorization value.',
    hint: 'Give the value that whoever provisioned the TPM has set, with --endorsement-auth-file.',
    source: 'TPM 2.0 Part 1 r01.59 §13.3',
  },
  'owner-authorization': {
    summary: 'The owner hierarchy of this TPM asks for an authorization value.',
    hint: 'Give the value that whoever provisioned the TPM has set, with --owner-auth-file.',
    source: 'TPM 2.0 Part 1 r01.59 §13.4',
  },
  'attestation-key-differs': {
    summary: 'The attestation key is not the one that this host enrolled with.',
    hint: 'The TPM or its endorsement seed was exchanged: enrol the host again.',
  },
  'salt-key-differs': {
    summary:
      'The key that protects the bus is not the endorsement key that the certificate is for.',
    hint: 'Something between this process and the TPM answers in its place; trust nothing on this machine.',
    source: 'TPM 2.0 Part 1 r01.59 §19.6.8',
  },
  'challenge-unsolvable': {
    summary: 'The challenge is not for the keys of this TPM.',
    hint: 'Ask for a new one; if it happens again, something on the way exchanges keys or challenges.',
    source: 'TPM 2.0 Part 3 r01.59 §12.5',
  },
  'signature-wrong': {
    summary: 'The TPM gave a signature that this key did not make.',
    hint: 'Try again; if it happens again, something between this process and the TPM answers in its place.',
    source: 'TPM 2.0 Part 3 r01.59 §20.2',
  },
  'pcr-bank-inactive': {
    summary: 'The TPM does not keep the PCRs that the service asks for.',
    hint: 'Allocate the SHA-256 bank in the firmware set-up or with tpm2_pcrallocate, and start the machine again.',
    source: 'TPM 2.0 Part 3 r01.59 §22.4; verification Q4',
  },
  'quote-unsteady': {
    summary: 'The PCRs changed between quoting and reading, at each attempt.',
    hint: 'Try again when fewer measurements are being made.',
    source: 'TPM 2.0 Part 3 r01.59 §18.4',
  },
  'tss2-malformed': {
    summary: 'The file is not a TSS2 PRIVATE KEY.',
    hint: 'Give the key file as a TPM tool wrote it, in PEM.',
    source: 'draft-bottomley-tpm2-keys §3.1',
  },
  'tss2-kind': {
    summary: 'The key file holds something that cannot be loaded as a key.',
    hint: 'Import the key first, or give a loadable one (2.23.133.10.1.3).',
    source: 'draft-bottomley-tpm2-keys §3.1.1',
  },
  'tss2-parent': {
    summary: 'The parent of the key is of a kind that is not supported.',
    hint: 'Create keys below the owner hierarchy or a persistent storage key.',
    source: 'draft-bottomley-tpm2-keys §3.1.8',
  },
  'tss2-policy': {
    summary: 'The key asks for a policy, and none can be satisfied here.',
    hint: 'Give a key that is used by its authorization value.',
    source: 'draft-bottomley-tpm2-keys §3.1.3',
  },
  'tss2-authorization': {
    summary: 'The key asks for an authorization value.',
    hint: 'Give the value that the key was created with.',
    source: 'draft-bottomley-tpm2-keys §3.1.2',
  },
  'tss2-algorithm': {
    summary: 'The key does not sign with ES256 or ES384.',
    hint: 'Give a key on P-256 or P-384 that may sign anything it is given.',
    source: 'RFC 7518 §3.4',
  },
  'tss2-exportable': {
    summary: 'The key was not born in a TPM, or may leave it.',
    hint: 'Create a key in the TPM: fixedTPM, fixedParent and sensitiveDataOrigin, for signing alone.',
    source: 'TPM 2.0 Part 2 r01.59 §8.3; verification F4',
  },
  'tss2-foreign': {
    summary: 'The TPM did not make this key: it cannot load it.',
    hint: 'Use the key on the machine that it was created on; after a TPM2_Clear, create a new one.',
    source: 'TPM 2.0 Part 3 r01.59 §12.2',
  },
  'answer-malformed': {
    summary: 'The answer of the service is not what its interface promises.',
    hint: 'See that the client is not older than the service.',
  },
  'challenge-foreign': {
    summary: 'The challenge is for another service than the one that was asked.',
    hint: 'Someone passes on challenges of a service that is not theirs: do not enrol there.',
  },
  'not-enrolled': {
    summary: 'This host is not enrolled with the service.',
    hint: 'Run `assay host enroll` first.',
  },
} as const satisfies Record<string, ErrorRow>

export type AttesterErrorCode = keyof typeof rows

/** What the client side refuses, or cannot do on this machine. */
export class AttesterError extends CodedError<AttesterErrorCode> {
  constructor(code: AttesterErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
