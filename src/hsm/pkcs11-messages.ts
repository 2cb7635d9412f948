import type { KeyKind } from './pkcs11-constants.ts'
import type { KeyDescription } from './pkcs11-description.ts'
import type { Pkcs11ErrorCode } from './pkcs11-error.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

/** What can be asked of the process that holds a module. One process is about one token. */
export type Pkcs11Call =
  | { readonly call: 'locate'; readonly uri: Pkcs11Uri }
  /** Absent where none can be read: some tokens ask for none, or on a pad of their own. */
  | { readonly call: 'login'; readonly pin: string | undefined }
  | { readonly call: 'create'; readonly uri: Pkcs11Uri; readonly kind: KeyKind }
  | { readonly call: 'destroy'; readonly uri: Pkcs11Uri }
  | { readonly call: 'open'; readonly uri: Pkcs11Uri }
  /** What the token says of the key and of itself. */
  | { readonly call: 'describe'; readonly key: number }
  /** A digest for ECDSA, a message for EdDSA. */
  | { readonly call: 'sign'; readonly key: number; readonly data: Uint8Array }
  /** Whether session and key still answer. */
  | { readonly call: 'probe'; readonly key: number }
  /** Gives up every session and key. */
  | { readonly call: 'reset' }
  | { readonly call: 'finish' }

/** The token that a URI names, as far as logging in is concerned. */
export interface LocatedToken {
  /** Manufacturer, model, serial and label: the same token by whatever words. */
  readonly identity: string
  readonly isLoginRequired: boolean
  /** The PIN is entered on a pad of the token's own. */
  readonly hasPad: boolean
  /** The next wrong PIN would lock it, or it is locked. */
  readonly isLocked: boolean
}

/** A key that the process has opened. */
export interface OpenedKey {
  readonly key: number
  readonly kind: KeyKind
  /** Uncompressed point 0x04 ‖ x ‖ y; of Ed25519 its 32 bytes. */
  readonly point: Uint8Array
}

/** What each call answers. */
export interface Pkcs11Answers {
  readonly locate: LocatedToken
  readonly login: undefined
  readonly create: undefined
  readonly destroy: undefined
  readonly open: OpenedKey
  readonly describe: KeyDescription
  readonly sign: Uint8Array
  readonly probe: undefined
  readonly reset: undefined
  readonly finish: undefined
}

export interface Pkcs11Request {
  readonly id: number
  readonly call: Pkcs11Call
}

/** An error on its way between processes, where classes are lost. */
export interface Pkcs11Refusal {
  readonly code: Pkcs11ErrorCode
  readonly expected?: string | undefined
  readonly found?: string | undefined
  readonly returnValue?: string | undefined
}

export type Pkcs11Response =
  | { readonly id: number; readonly answer: Pkcs11Answers[keyof Pkcs11Answers] }
  | { readonly id: number; readonly refused: Pkcs11Refusal }
