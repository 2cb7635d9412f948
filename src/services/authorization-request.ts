import type { Action } from '../core/authorization/decision-input.ts'
import type { ClientRecord, Principal } from '../ports/records.ts'
import type { WantedToken } from './grant-binding.ts'

/** What somebody wants to have or do, after the limits of registration and attestation. */
export interface AuthorizationRequest {
  readonly action: Action
  readonly principal: Principal
  readonly audience: string
  readonly scopes: readonly string[]
  /** 0 where nothing is issued. */
  readonly lifetimeSeconds: number
  /** Of the connection, as the runtime names it. */
  readonly sourceAddress: string | undefined
  /** SPIFFE IDs: who asked first, and through whom, the present one first: as the new token will say. */
  readonly delegation?: { readonly initiator: string; readonly actors: readonly string[] }
  /** What authenticated the caller: a denial counts it as used, in the transaction that records the denial. */
  readonly spending?: Spending | undefined
  /** Authorization details as they came, their types known (RFC 9396). */
  readonly details?: readonly object[] | undefined
  /** The transaction that it belongs to, where there is one already: a denial says it too. */
  readonly txn?: string | undefined
  /** The access token that it is for: what an operator can approve, where policies say `@requestable`. */
  readonly token?: WantedToken
}

/** Proofs that count once. */
export interface Spending {
  readonly client: ClientRecord
  readonly replayKeys: readonly { readonly key: string; readonly expiresAt: number }[]
  /** What to say when one counted before. */
  readonly replayed: 'dpop-replayed' | 'assertion-replayed' | 'client-attestation-replayed'
}
