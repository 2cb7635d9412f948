import type { ErrorRow } from '../coded-error.ts'

type CheckRow = ErrorRow & { readonly source: string }

const kernel = 'Linux Documentation/security/IMA-templates.rst'
const readAgain = 'Send the bytes of binary_runtime_measurements exactly as the kernel gives them.'
const forged =
  'The kernel does not write lists like this. Treat the host as hostile until you know why.'

/** What parsing refuses: bytes that are no list of measurements. */
export const imaFormatRows = {
  'ima-size': {
    summary: 'The list of measurements is empty, too large, or has too many entries.',
    hint: 'Measure less by the IMA policy, or send the list from where the last round ended.',
    source: 'verification I1, L11, P4',
  },
  'ima-malformed': {
    summary: 'The list of measurements cannot be read.',
    hint: readAgain,
    source: `${kernel}; verification I1, I8, P2`,
  },
  'ima-truncated': {
    summary: 'The list ends in the middle of an entry.',
    hint: readAgain,
    source: 'verification I1, I4, P2',
  },
  'ima-template': {
    summary: 'An entry is of a template that is not known.',
    hint: 'Set ima_template to ima-ng, ima-sig or their second versions.',
    source: `${kernel} §Supported Template Fields and Descriptors; verification I6`,
  },
  'ima-field': {
    summary: 'A field of an entry does not have the form that its template gives it.',
    hint: forged,
    source: `${kernel} §Supported Template Fields and Descriptors; verification I6`,
  },
  'ima-name': {
    summary: 'The name of an entry is too long, not ended by its zero byte, or goes on after one.',
    hint: forged,
    source: `${kernel} n, n-ng; GHSA-v2qp-xh5m-44mf; verification I1, I8`,
  },
  'ima-digest-algorithm': {
    summary:
      'A file was measured with a hash that is not known, or a digest is not as long as its hash makes it.',
    hint: 'Set ima_hash to sha256.',
    source: `${kernel} d-ng; verification I6`,
  },
  'ima-violation': {
    summary: 'An entry is marked as a violation but carries the digest of a file.',
    hint: forged,
    source: 'verification I3',
  },
  'ima-state': {
    summary: 'What was kept of the verification before cannot be read.',
    hint: 'Verify the list from its beginning.',
    source: 'verification I4',
  },
} as const satisfies Record<string, CheckRow>

/** What verifying refuses: a list that does not lead to what the TPM signed. */
const replayRows = {
  'ima-pcr-unquoted': {
    summary: 'The quote does not cover the PCR that the list is bound by.',
    hint: 'Quote PCR 10 as well.',
    source: 'verification I2, I4',
  },
  'ima-pcr-differs': {
    summary: 'No beginning of the list leads to the PCR values that the TPM signed.',
    hint: 'Read the list after the quote; if it still differs, it was altered, or the kernel is older than 5.8 and extends SHA-1.',
    source: 'verification I2, I4',
  },
  'ima-prefix-changed': {
    summary: 'The list does not continue what was verified before in this boot.',
    hint: forged,
    source: 'verification I4, I8',
  },
  'ima-template-hash': {
    summary:
      'The kernel is said to extend templates in another way than it did before in this boot.',
    hint: 'One kernel extends in one way; state it once for each host.',
    source: 'Linux 5.8 ima_calc_field_array_hash; verification I2',
  },
  'ima-boot-aggregate': {
    summary: 'The list does not begin with the aggregate of the boot that was quoted.',
    hint: forged,
    source: 'Linux ima_calc_boot_aggregate; verification I5',
  },
} as const satisfies Record<string, CheckRow>

/** What a policy decides by; these do not refuse Evidence. */
const appraisalRows = {
  'ima-violations': {
    summary: 'Files were changed while they were measured, so that what ran is not known.',
    hint: 'Find out which; leave such files out of the IMA policy if they are not code.',
    source: 'verification I3',
  },
  'ima-file': {
    summary: 'A file was measured that no allow-list names and no known key signed.',
    hint: 'Add the digest to the allow-list, sign the file, or exclude the path.',
    source: 'verification I7',
  },
  'ima-signature': {
    summary: 'A file carries a signature that does not verify under a key of the keyring.',
    hint: 'Sign it with a key of the keyring, and name the digest algorithm that was measured.',
    source: 'Linux signature_v2_hdr; verification I7',
  },
  'ima-buffer': {
    summary:
      'The kernel measured data, such as keys or a command line for kexec, that no allow-list names.',
    hint: 'Add the digest of the buffer under its name to the allow-list.',
    source: `${kernel} ima-buf; verification I7`,
  },
} as const satisfies Record<string, CheckRow>

/** Every check on IMA lists: code, what a refusal says, and the rule it stands on. */
export const imaCheckRows = {
  ...imaFormatRows,
  ...replayRows,
  ...appraisalRows,
} as const satisfies Record<string, CheckRow>

export type ImaCheckCode = keyof typeof imaCheckRows
