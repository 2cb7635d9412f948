import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'pkcs11-uri-malformed': {
    summary: 'This is not a PKCS#11 URI that names a key.',
    hint: 'Write pkcs11:token=NAME;object=LABEL?module-path=/path/to/module.so, values percent-encoded.',
    source: 'RFC 7512 §2.3',
  },
  'pkcs11-pin-in-uri': {
    summary: 'The PKCS#11 URI carries a PIN, which other users of this machine can then read.',
    hint: 'Put the PIN into a file of mode 0600 and name it with pin-source or ASSAY_PIN_SOURCE; change the PIN.',
    source: 'RFC 7512 §2.4, §4',
  },
  'pkcs11-pin-absent': {
    summary: 'The token asks for a PIN, and none can be read.',
    hint: 'Put it into a file of mode 0600 and name that with pin-source in the URI or with ASSAY_PIN_SOURCE.',
    source: 'RFC 7512 §2.4',
  },
  'pkcs11-pin-exposed': {
    summary: 'Others than its owner have rights on the file of the PIN.',
    hint: 'Take them away with chmod 600, and change the PIN.',
  },
  'pkcs11-pin-wrong': {
    summary: 'The token does not take this PIN.',
    hint: 'Correct the file of the PIN, then start again: a token locks itself after a few wrong ones, so it is tried once a start.',
    source: 'PKCS #11 v3.0 §5.6.8 C_Login',
  },
  'pkcs11-pin-locked': {
    summary: 'The PIN of the token is locked, or the next wrong one would lock it.',
    hint: 'Unlock it with the tool of the token, or log in there once with the right PIN.',
    source: 'PKCS #11 v3.0 §3.2 CK_TOKEN_INFO',
  },
  'pkcs11-module': {
    summary: 'The PKCS#11 module cannot be loaded.',
    hint: 'Name the library of the token with module-path, such as /usr/lib/softhsm/libsofthsm2.so.',
    source: 'RFC 7512 §2.4',
  },
  'pkcs11-token-absent': {
    summary: 'The module has no such token.',
    hint: 'See the tokens with `pkcs11-tool --module … --list-token-slots`, and that the token is plugged in.',
    source: 'RFC 7512 §2.3',
  },
  'pkcs11-token-ambiguous': {
    summary: 'Several tokens fit this URI.',
    hint: 'Add serial= or token= to the URI.',
    source: 'RFC 7512 §2.3',
  },
  'pkcs11-key-absent': {
    summary: 'The token has no such private key.',
    hint: 'See the keys with `pkcs11-tool --module … --login --list-objects`, or make one with --create-key.',
    source: 'RFC 7512 §2.3',
  },
  'pkcs11-key-ambiguous': {
    summary: 'Several private keys of the token fit this URI.',
    hint: 'Add id= to the URI.',
    source: 'RFC 7512 §2.3',
  },
  'pkcs11-key-exists': {
    summary: 'The token has a key of this name already.',
    hint: 'Use it without --create-key, or choose another object=.',
  },
  'pkcs11-key-extractable': {
    summary: 'The key may leave the token.',
    hint: 'Make a key in the token with CKA_EXTRACTABLE false, and use no copy of this one.',
    source: 'PKCS #11 v3.0 §4.9',
  },
  'pkcs11-key-not-sensitive': {
    summary: 'The token would show the value of the key.',
    hint: 'Make a key in the token with CKA_SENSITIVE true.',
    source: 'PKCS #11 v3.0 §4.9',
  },
  'pkcs11-key-not-local': {
    summary: 'The key was not made in the token: somebody had it before.',
    hint: 'Make a key in the token, so that CKA_LOCAL is true; do not bring one in.',
    source: 'PKCS #11 v3.0 §4.8',
  },
  'pkcs11-key-once-extractable': {
    summary: 'The key could leave the token before, so it may have.',
    hint: 'Make a key in the token with CKA_EXTRACTABLE false from the beginning.',
    source: 'PKCS #11 v3.0 §4.9 CKA_NEVER_EXTRACTABLE',
  },
  'pkcs11-key-once-insensitive': {
    summary: 'The token would have shown the value of the key before, so it may have.',
    hint: 'Make a key in the token with CKA_SENSITIVE true from the beginning.',
    source: 'PKCS #11 v3.0 §4.9 CKA_ALWAYS_SENSITIVE',
  },
  'pkcs11-key-changed': {
    summary: 'The token has another key under this name than the one that is known here.',
    hint: 'Put the token back that was here before; a new key needs a certificate of its own.',
    source: 'RFC 7512 §2.3',
  },
  'pkcs11-key-unsuitable': {
    summary: 'The key of the token cannot sign here.',
    hint: 'Make an EC key on P-256 or P-384, for the log one on Ed25519, that signs without asking for the PIN each time.',
    source: 'RFC 7518 §3.4; PKCS #11 v3.0 §4.9',
  },
  'pkcs11-kind-absent': {
    summary: 'The token makes no key of the kind that is asked for.',
    hint: 'Checkpoints of the audit log are signed with Ed25519 and nothing else; leave keys.log embedded, or use a token that knows CKM_EDDSA.',
    source: 'PKCS #11 Current Mechanisms v3.0 §2.3.8; C2SP signed-note v1.0.0 §Signature types',
  },
  'pkcs11-signature-wrong': {
    summary: 'The token gave a signature that this key did not make.',
    hint: 'Private and public key of the token do not belong together, or something answers in its place.',
  },
  'pkcs11-timeout': {
    summary: 'The token did not answer in time.',
    hint: 'See that it is reachable; keys.deadlineMs of the configuration says how long it may take.',
  },
  'pkcs11-busy': {
    summary: 'More signatures wait for the token than it can make soon.',
    hint: 'Try again in a moment; a token of hardware signs a few times a second.',
  },
  'pkcs11-token-full': {
    summary: 'The token has no room for another key.',
    hint: 'Take away keys that are not used, with the tool of the token.',
    source: 'PKCS #11 v3.0 §5.1 CKR_DEVICE_MEMORY',
  },
  'pkcs11-failed': {
    summary: 'The token failed.',
    hint: 'See that it is plugged in and start again; the return value is among the facts.',
    source: 'PKCS #11 v3.0 §5.1',
  },
} as const satisfies Record<string, ErrorRow>

export type Pkcs11ErrorCode = keyof typeof rows

/** A PKCS#11 token or key that cannot be used. Never holds a PIN. */
export class Pkcs11Error extends CodedError<Pkcs11ErrorCode> {
  /** Name of the return value behind it, such as `CKR_DEVICE_REMOVED`; undefined where no function of the token failed. */
  readonly returnValue: string | undefined

  constructor(code: Pkcs11ErrorCode, facts?: ErrorFacts, returnValue?: string) {
    super(code, rows[code], facts)
    this.returnValue = returnValue
  }
}
