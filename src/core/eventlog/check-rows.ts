import type { ErrorRow } from '../coded-error.ts'

type CheckRow = ErrorRow & { readonly source: string }

const profile = 'TCG PC Client Platform Firmware Profile r1.05'
const readAgain =
  'Send the bytes of binary_bios_measurements exactly as the kernel gives them, of this boot.'
const forged =
  'Firmware does not write logs like this. Treat the host as hostile until you know why.'
const reviewed =
  'Compare with what the vendor of the firmware or boot loader documents; accept it by a rule, if at all.'

/** What parsing refuses: bytes that are no log, or one that contradicts itself. */
export const eventLogFormatRows = {
  'eventlog-size': {
    summary: 'The event log is empty, too large, or has too many events.',
    hint: 'Logs of real machines are below a megabyte; send the log of this boot alone.',
    source: 'verification L11, P4',
  },
  'eventlog-malformed': {
    summary: 'The event log cannot be read to its last byte.',
    hint: readAgain,
    source: `${profile} §10.2 TCG_PCR_EVENT2; verification P1, P2, P4`,
  },
  'eventlog-header': {
    summary: 'The event log does not begin with a well-formed Specification ID Version event.',
    hint: readAgain,
    source: `${profile} §10.4.5.1 TCG_EfiSpecIdEvent; verification L2`,
  },
  'eventlog-algorithm': {
    summary: 'The header names an algorithm twice, or with a size that its digests do not have.',
    hint: forged,
    source: `${profile} §10.4.5.1 TCG_EfiSpecIdEventAlgorithmSize; verification L3, L12, P3`,
  },
  'eventlog-legacy': {
    summary: 'The event log is in the format of TPM 1.2, which carries SHA-1 digests alone.',
    hint: 'Set the firmware to TPM 2.0 and its SHA-256 bank; the old format is read only where it is allowed by name.',
    source: `${profile} §10.1 TCG_PCR_EVENT; verification L2, A1`,
  },
  'eventlog-pcr-index': {
    summary: 'An event was logged for a PCR that does not exist.',
    hint: forged,
    source: `${profile} §10.2 TCG_PCR_EVENT2 pcrIndex; verification L4`,
  },
  'eventlog-digests': {
    summary:
      'An event has no digest, two of one algorithm, or one of an algorithm that the header lacks.',
    hint: forged,
    source: `${profile} §10.2.2 TPML_DIGEST_VALUES; verification L3`,
  },
  'eventlog-padding': {
    summary: 'The event log ends in padding, which logs of a TPM do not have.',
    hint: readAgain,
    source: 'verification L4',
  },
  'eventlog-trust-point': {
    summary:
      'The record that Windows adds for its quotes does not carry the digest of its own data.',
    hint: forged,
    source: 'verification L4',
  },
  'eventlog-no-action': {
    summary: 'An event that extends nothing carries a digest.',
    hint: forged,
    source: `${profile} §10.4.5 EV_NO_ACTION; verification L5`,
  },
  'eventlog-startup-locality': {
    summary:
      'The startup locality is stated twice, too late, for another PCR than 0, or with a value that is none.',
    hint: forged,
    source: `${profile} §10.4.5.3 TCG_EfiStartupLocalityEvent; verification L5`,
  },
  'eventlog-hcrtm': {
    summary:
      'An H-CRTM event stands elsewhere than first in PCR 0, or beside a startup locality that excludes it.',
    hint: forged,
    source: `${profile} §10.4.1 EV_EFI_HCRTM_EVENT; verification L5`,
  },
} as const satisfies Record<string, CheckRow>

/** What replaying refuses: a log that does not lead to what the TPM signed. */
const replayRows = {
  'eventlog-bank-missing': {
    summary: 'The event log has no digests of a bank that was quoted.',
    hint: 'Have the firmware extend and log that bank, or quote only banks that it does.',
    source: 'verification L7, Q4',
  },
  'eventlog-bank-not-extended': {
    summary:
      'The firmware never extended a bank that was quoted: anyone could have filled it after boot.',
    hint: 'Update the firmware, or switch the bank off in its settings.',
    source: 'CVE-2021-42299 TPM Carte Blanche; verification L7',
  },
  'eventlog-bank-unverifiable': {
    summary:
      'An event carries no digest for a bank that was quoted, so that the bank cannot be replayed.',
    hint: 'Quote the bank that the operating system extends and logs in full.',
    source: 'verification L3',
  },
  'eventlog-bank-capped': {
    summary:
      'The operating system closed a bank that was quoted by extending zeros; the log ends before that.',
    hint: 'Quote the bank that the operating system uses.',
    source: 'verification L3',
  },
  'eventlog-pcr-width': {
    summary: 'A quoted value is not as long as the digests of its bank.',
    hint: 'Send each value in full, leading zeros included.',
    source: 'verification L14, Q6',
  },
  'eventlog-pcr-differs': {
    summary: 'The event log does not lead to a PCR value that the TPM signed.',
    hint: `Something was measured that the log does not tell, or the log is of another boot. ${readAgain}`,
    source: `${profile} §3.3.4 PCR usage; verification L6, L10`,
  },
  'eventlog-another-boot': {
    summary:
      'The log that was named is of another boot than the quote; one log alone must explain every PCR.',
    hint: 'Name the log of the boot that the TPM is in, by its reset count.',
    source: 'verification L10',
  },
  'eventlog-pcr-unexplained': {
    summary:
      'A PCR that the running system extends holds more than the log explains, and must be explained.',
    hint: "Send the system's own log of measurements as well, or do not ask for this PCR.",
    source: 'UAPI.7 Linux TPM PCR Registry; verification L15',
  },
  'eventlog-quirk': {
    summary: 'The log can be explained only with a deviation that is not allowed here.',
    hint: 'Allow the deviation by its name for machines of this kind, or update their firmware.',
    source: 'verification L9',
  },
  'eventlog-userspace-log': {
    summary: "The running system's own log of measurements cannot be read.",
    hint: 'Send /run/log/systemd/tpm2-measure.log exactly as it is.',
    source: 'TCG Canonical Event Log r1.0 §5; verification L15',
  },
} as const satisfies Record<string, CheckRow>

/** What the facts of a boot rest on: these do not refuse Evidence, a policy decides by them. */
const factRows = {
  'eventlog-data': {
    summary:
      'An event whose digest should be that of its data carries other data, which is not believed.',
    hint: reviewed,
    source: `${profile} §10.4 Event Types; verification L1`,
  },
  'eventlog-separators': {
    summary: 'PCRs 0 to 7 do not each have exactly one separator.',
    hint: reviewed,
    source: `${profile} §3.3.2 EV_SEPARATOR; verification L8`,
  },
  'eventlog-error-separator': {
    summary: 'The firmware closed a PCR with the mark of an error.',
    hint: 'The firmware failed to measure; find out why before you trust the machine.',
    source: `${profile} §3.3.2 EV_SEPARATOR; verification L8`,
  },
  'eventlog-after-separator': {
    summary: 'Something was measured into PCRs 0 to 3 after their separator.',
    hint: reviewed,
    source: `${profile} §3.3.4 PCR usage; verification L8`,
  },
  'eventlog-boot-order': {
    summary: 'An application was started before the firmware said that it starts one.',
    hint: reviewed,
    source: `${profile} §3.3.4.5 PCR[4]; verification L8`,
  },
  'eventlog-exit-boot-services': {
    summary:
      'The log does not show that the boot services of the firmware were ended once and well.',
    hint: reviewed,
    source: `${profile} §3.3.4.6 PCR[5]; verification L8`,
  },
  'eventlog-secure-boot': {
    summary:
      'The SecureBoot variable is not measured exactly once, with one byte, before the separator of PCR 7.',
    hint: reviewed,
    source: `${profile} §3.3.4.8 PCR[7]; verification L8`,
  },
  'eventlog-signature-database': {
    summary: 'A Secure Boot database is missing, measured twice, or cannot be read.',
    hint: reviewed,
    source: 'UEFI 2.10 §32.4.1 EFI_SIGNATURE_LIST; verification L13, P4',
  },
  'eventlog-authority': {
    summary:
      'What an image was verified by is not an entry of the database that it is said to be from.',
    hint: reviewed,
    source: `${profile} §10.4.1 EV_EFI_VARIABLE_AUTHORITY; verification L13`,
  },
} as const satisfies Record<string, CheckRow>

/** Every check on event logs: code, what a refusal says, and the rule it stands on. */
export const eventLogCheckRows = {
  ...eventLogFormatRows,
  ...replayRows,
  ...factRows,
} as const satisfies Record<string, CheckRow>

export type EventLogCheckCode = keyof typeof eventLogCheckRows
