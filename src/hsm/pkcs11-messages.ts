import type { Pkcs11ErrorCode } from './pkcs11-error.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

/** What can be asked of the thread that holds a module. */
export type Pkcs11Call =
  | {
      readonly call: 'open' | 'create'
      readonly uri: Pkcs11Uri
      /** Absent where none can be read: some tokens ask for none, or on a pad of their own. */
      readonly pin: string | undefined
    }
  | { readonly call: 'sign'; readonly key: number; readonly digest: Uint8Array }
  | { readonly call: 'release'; readonly key: number }
  | { readonly call: 'finish' }

/** A key that the thread has opened. */
export interface OpenedKey {
  readonly key: number
  readonly curve: 'P-256' | 'P-384'
  /** Uncompressed point, 0x04 ‖ x ‖ y. */
  readonly point: Uint8Array
}

export interface Pkcs11Request {
  readonly id: number
  readonly call: Pkcs11Call
}

/** An error on its way between threads, where classes are lost. */
export interface Pkcs11Refusal {
  readonly code: Pkcs11ErrorCode
  readonly expected?: string | undefined
  readonly found?: string | undefined
}

export type Pkcs11Response =
  | { readonly id: number; readonly answer: OpenedKey | Uint8Array | undefined }
  | { readonly id: number; readonly refused: Pkcs11Refusal }
