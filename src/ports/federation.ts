import type { BundleProfile } from '../core/spiffe/bundle-endpoint.ts'
import type { AuditEntry } from './records.ts'

/** That this service follows the trust bundle of another trust domain; what there is of it but the bundle itself. */
export interface FederationSummary {
  /** Lower-case, as SPIFFE IDs have it. */
  readonly trustDomain: string
  /** Of this relationship; one that is begun anew has another. */
  readonly id: string
  readonly url: string
  readonly profile: BundleProfile
  /** SPIFFE ID of the endpoint; null with profile `https_web`. */
  readonly endpointId: string | null
  readonly addedAt: number
  readonly addedBy: string
  /** Lower-case hex SHA-256 of the bundle's text; null before the first, as the next ones. */
  readonly bundleSha256: string | null
  /** 0 where the bundle has no number, and before the first. */
  readonly bundleSequence: number
  /** How soon the next one is to be looked for, as the bundle says. */
  readonly bundleRefreshSeconds: number | null
  readonly bundleKeptAt: number | null
  /** Code of why it was not followed the last time; null where it was. */
  readonly failure: string | null
  readonly failedAt: number | null
}

/** The whole of it. */
export interface FederationRecord extends FederationSummary {
  /** As it was received; null before the first. */
  readonly bundle: string | null
}

/** A bundle to keep, and in place of which. */
export interface FollowedBundle {
  readonly bundle: string
  readonly bundleSha256: string
  readonly bundleSequence: number
  readonly bundleRefreshSeconds: number
  /** Digest of the bundle that it was held against; null for none. */
  readonly basis: string | null
  readonly at: number
}

/** Relationships with other trust domains. Each method is one transaction with its entry. */
export interface FederationStore {
  add(federation: FederationRecord, entry: AuditEntry): Promise<'done' | 'exists'>
  /** By trust domain. */
  list(): Promise<FederationSummary[]>
  find(trustDomain: string): Promise<FederationRecord | undefined>
  /** With its bundle. */
  remove(trustDomain: string, entry: AuditEntry): Promise<'done' | 'unknown'>
  /**
   * Keeps the next bundle and forgets the failure. `'known'` for the very bundle that is kept; `'conflict'` when that
   * is another than `basis` by now; `'unknown'` when the relationship has ended or was begun anew.
   */
  keepBundle(
    id: string,
    followed: FollowedBundle,
    entry: AuditEntry,
  ): Promise<'done' | 'known' | 'conflict' | 'unknown'>
  /** Keeps why it could not be followed, or with null that it could; `'known'` where that is what is kept. */
  keepFailure(
    id: string,
    outcome: { readonly failure: string | null; readonly at: number },
    entry: AuditEntry,
  ): Promise<'done' | 'known' | 'unknown'>
}
