import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'key-passphrase-missing': {
    summary: 'The keys of the service are encrypted, and there is no passphrase to open them with.',
    hint: 'Name its file in ASSAY_KEY_PASSPHRASE_FILE, hand it over as the systemd credential assay-key-passphrase, or put the file passphrase back into the data directory.',
  },
  'key-passphrase-wrong': {
    summary: 'A key of the service does not open with this passphrase.',
    hint: 'Check which passphrase the key was encrypted with; where a change of the passphrase was interrupted, run `assay key passphrase` once more.',
  },
  'key-passphrase-unusable': {
    summary: 'This file does not hold a passphrase.',
    hint: 'Write the passphrase as its only line: 1 to 1000 bytes of UTF-8.',
  },
  'key-passphrase-exposed': {
    summary: 'The file of the passphrase can be read by other users of this machine.',
    hint: 'Take the rights away with chmod 600, and change the passphrase with `assay key passphrase`.',
  },
  'key-passphrase-place': {
    summary: 'The file of the new passphrase is one that this change would take away.',
    hint: 'Write the new passphrase to a file outside the data directory and name that, or name none and have one made.',
  },
  'key-malformed': {
    summary: 'A key file does not hold a private key that can be read here.',
    hint: 'Put the file back as it was: PKCS#8 PEM, plain or encrypted (`openssl pkey -in FILE` reads it).',
    source: 'RFC 5958 §2, §3',
  },
} as const satisfies Record<string, ErrorRow>

/** A key at rest that cannot be opened. `found` names the file, never what is in it. */
export class KeyPassphraseError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
