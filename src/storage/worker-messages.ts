import type { StoreErrorCode } from '../ports/store-error.ts'
import type { Call, Outcome } from './sqlite-engine.ts'

/** How the worker is started. */
export interface WorkerOptions {
  readonly path: string
  readonly logOrigin: string
  /** Ed25519: PKCS#8 DER, or the public key (DER SubjectPublicKeyInfo) of one that signs elsewhere. */
  readonly logKey: { readonly pkcs8: Uint8Array } | { readonly spki: Uint8Array }
}

/** To the worker: a batch, or the wish to end. */
export type Request = { readonly calls: readonly Call[] } | { readonly close: true }

/** An error on its way between threads, where classes are lost. */
export interface Failure {
  readonly code: StoreErrorCode
  readonly found: string | undefined
  readonly cause: unknown
}

/** From the worker: ready, the outcomes of a batch in the order of its calls, or why there are none. */
export type Response =
  | { readonly opened: true }
  /** `hasAppended`: the log is longer by this batch. */
  | { readonly outcomes: readonly Outcome[]; readonly hasAppended: boolean }
  | { readonly failed: Failure }
  | { readonly closed: true }
