import type { StoreErrorCode } from '../ports/store-error.ts'
import type { Call, Outcome } from './sqlite-engine.ts'

/** How the worker is started. */
export interface WorkerOptions {
  readonly path: string
  readonly logOrigin: string
  /** PKCS#8 DER Ed25519. A key in an HSM would stand here as a port to whoever holds it. */
  readonly logKey: Uint8Array
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
  | { readonly outcomes: readonly Outcome[] }
  | { readonly failed: Failure }
  | { readonly closed: true }
