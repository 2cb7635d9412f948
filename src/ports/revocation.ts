import type { RevocationReason } from '../core/status/revocation-reason.ts'
import type { AuditEntry } from './records.ts'
import type { KeptAttestation } from './store.ts'

/** What one call can take down. */
export type RevocationTarget =
  | { readonly kind: 'host'; readonly id: string }
  | { readonly kind: 'agent'; readonly id: string }
  | { readonly kind: 'class'; readonly name: string }
  /** Enrolled or not; it never enrols again. */
  | { readonly kind: 'endorsement'; readonly id: string }
  /** A certificate in whatever place above an EK; nothing below it enrols again. */
  | { readonly kind: 'anchor'; readonly fingerprint: string }
  /** Versions as `HostRecord.firmwareVersion`, both inclusive; nothing in it enrols again. */
  | {
      readonly kind: 'firmware'
      readonly vendor: string
      readonly lowest: string
      readonly highest: string
    }
  | { readonly kind: 'operator'; readonly id: string }
  | { readonly kind: 'certificate'; readonly serial: string }

export type RevocationKind = RevocationTarget['kind']

/** One act of revocation. */
export interface RevocationAct {
  readonly target: RevocationTarget
  readonly at: number
  readonly reasonCode: RevocationReason
  /** Free text, for the log. */
  readonly reason: string
  readonly author: string
}

/** How much an act took down, itself counted. */
export interface RevocationCounts {
  readonly hosts: number
  readonly agents: number
  readonly certificates: number
  readonly tokens: number
  readonly operators: number
}

/** A part of what an act took down, as relying parties are told: at most 500 identifiers. */
export interface RevocationEvent {
  /** The act; its parts have the same. */
  readonly revocation: number
  readonly at: number
  readonly kind: string
  readonly target: string
  readonly reasonCode: string
  readonly isLast: boolean
  readonly hosts: readonly string[]
  readonly agents: readonly { readonly id: string; readonly class: string }[]
  /** Serial numbers. */
  readonly certificates: readonly string[]
  readonly tokens: readonly {
    readonly list: string
    readonly index: number
    readonly jti: string
  }[]
  readonly operators: readonly string[]
}

/** What was taken back, by whom and why, with everything under it. */
export interface RevocationStore {
  /**
   * Takes a target down with everything below it and puts what fell into the log beside the act. `'already'` when it
   * is down or barred. With `evidence`, keeps what a host was revoked for, and answers `'state-changed'` when its
   * `stateVersion` is no longer the one that was judged.
   */
  revoke(
    act: RevocationAct,
    entry: AuditEntry,
    evidence?: KeptAttestation & { readonly stateVersion: number },
  ): Promise<RevocationCounts | 'unknown' | 'already' | 'state-changed'>
  /** What {@link RevocationStore.revoke} would take down at this moment; changes nothing. */
  preview(act: RevocationAct): Promise<RevocationCounts | 'unknown' | 'already'>
  /** What was told after an event, oldest first; `oldest` is the first that is kept, null where none is. */
  readEvents(
    after: number,
    limit: number,
  ): Promise<{
    readonly oldest: number | null
    readonly newest: number
    readonly events: readonly { readonly sequence: number; readonly event: RevocationEvent }[]
  }>
}
