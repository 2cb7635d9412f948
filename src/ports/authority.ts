import type { CertificateSigner } from '../core/issuance/credential.ts'
import type { AuditEntry } from './records.ts'

/**
 * Where an authority stands. `prepared`: known to everybody, signs nothing yet. `active`: signs; there is one at most.
 * `retired`: signed before, is trusted still. `tainted`: is trusted still, and everything below it is to be renewed.
 * `revoked`: is trusted by nobody.
 */
export type AuthorityState = 'prepared' | 'active' | 'retired' | 'tainted' | 'revoked'

/** One issuing authority of the trust domain. Its key is elsewhere; what is here says where. */
export interface AuthorityRecord {
  /** Lower-case hex SHA-256 of the issuing certificate. */
  readonly id: string
  /** DER, issuing certificate first, self-signed root last. */
  readonly chain: readonly Uint8Array[]
  /** Lower-case hex SHA-256 of the root. */
  readonly rootId: string
  /** A file of the data directory, or a `pkcs11:` URI (RFC 7512). */
  readonly keyReference: string
  readonly state: AuthorityState
  /** The bundle from which on its root is known; who keeps that one or a later one trusts it. */
  readonly bundleSequence: number
  readonly preparedAt: number
  readonly preparedBy: string
  readonly activatedAt: number | null
  /** Of the last change of state. */
  readonly changedAt: number
  readonly changedBy: string
  readonly reason: string | null
  /** Since when its key is to be nowhere any more; null while it is kept. */
  readonly keyDestroyedAt: number | null
}

/** All authorities at one moment, oldest first, and the bundle that they make. */
export interface AuthoritySet {
  readonly authorities: readonly AuthorityRecord[]
  readonly bundleSequence: number
}

/** Which bundle an active host keeps; 0 before it said so. */
export interface BundleAdoption {
  readonly hostId: string
  readonly name: string
  readonly sequence: number
  readonly adoptedAt: number | null
}

/** Who changed the state of an authority, when and why. */
export interface AuthorityChange {
  readonly at: number
  readonly by: string
  readonly reason: string | null
}

/** The authorities of the trust domain and who knows them. Each method is one transaction with its entry. */
export interface AuthorityStore {
  read(): Promise<AuthoritySet>
  /** Makes the first authority, active at once; `'exists'` where there is one. Certificates of before are its own. */
  adopt(authority: AuthorityRecord, entry: AuditEntry): Promise<'done' | 'exists'>
  /** Adds one; a root that is new makes the next bundle, which becomes its `bundleSequence`. */
  prepare(
    authority: AuthorityRecord,
    entry: AuditEntry,
  ): Promise<{ readonly bundleSequence: number } | 'exists'>
  /**
   * Makes a prepared authority the active one in place of `from`, which retires. `'conflict'` when another than `from`
   * is active by now: of simultaneous activations one counts. `'bundle-not-adopted'` while an active host keeps an
   * older bundle than the authority's, unless `isForced`.
   */
  activate(
    id: string,
    change: AuthorityChange & { readonly from: string | null; readonly isForced: boolean },
    entry: AuditEntry,
  ): Promise<'done' | 'unknown' | 'state' | 'conflict' | 'bundle-not-adopted'>
  /** From now on nothing is issued below it. */
  taint(
    id: string,
    change: AuthorityChange,
    entry: AuditEntry,
  ): Promise<{ readonly certificates: number } | 'unknown' | 'state'>
  /** Revokes every certificate below it; where no other authority has its root, the next bundle is without that. */
  revoke(
    id: string,
    change: AuthorityChange,
    entry: AuditEntry,
  ): Promise<
    { readonly certificates: number; readonly bundleSequence: number } | 'unknown' | 'state'
  >
  /**
   * That its key is to be destroyed, of one that issues no more; again for one whose key is to be gone already.
   * `'key-needed'` while a certificate below it is in force, unless `isForced`: nobody could say any more that it is not.
   */
  destroyKey(
    id: string,
    change: AuthorityChange & { readonly isForced: boolean },
    entry: AuditEntry,
  ): Promise<'done' | 'unknown' | 'state' | 'key-needed'>
  /** That a host keeps a bundle. `'known'` where it keeps that one or a later one already; `'ahead'` of what there is. */
  recordAdoption(
    hostId: string,
    adoption: { readonly sequence: number; readonly at: number },
    entry: AuditEntry,
  ): Promise<'done' | 'known' | 'ahead' | 'host-revoked'>
  /** Of every host that is active and attested at `now`, by name. */
  listAdoptions(now: number): Promise<BundleAdoption[]>
  /** Makes the next bundle when the token keys in it, of which this is a digest, are others than before. */
  publishKeys(digest: string, entry: AuditEntry): Promise<'done' | 'known'>
}

/** A key and the certificates above it, as they were made. */
export interface CreatedAuthority {
  readonly chain: readonly Uint8Array[]
  readonly keyReference: string
}

/** In which of the places of the configuration the key of an authority is made. */
export type AuthorityPlace = 'issuing' | 'standby'

/** An authority whose key was made, before its root signs for it. */
export interface AuthorityIntent {
  readonly keyReference: string
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array
}

/** Where the keys of authorities are made and used. */
export interface AuthorityKeys {
  /**
   * Makes an issuing key and its certificate, durable before it resolves: under a new root, or under the root whose
   * certificate is given.
   *
   * @throws AuthorityKeyError `authority-root-absent` where that root's key is not at hand,
   *   `authority-standby-absent` where no place for a second one is named, `authority-token-failed`
   */
  create(request: {
    readonly root: Uint8Array | undefined
    readonly place: AuthorityPlace
    readonly now: number
    readonly serials: readonly [Uint8Array, Uint8Array]
    /** Puts on record what is about to be signed. Awaited before any signature; where it throws, the key is let go of. */
    readonly record: (intent: AuthorityIntent) => Promise<void>
  }): Promise<CreatedAuthority>
  /** The signer of a key that is kept already; what is wrong with it shows when it signs. */
  open(authority: Pick<AuthorityRecord, 'chain' | 'keyReference'>): CertificateSigner
  /**
   * Takes the issuing key out of the world; one that is not there any more is no error.
   *
   * @throws AuthorityKeyError `authority-token-failed`
   */
  destroy(authority: Pick<AuthorityRecord, 'chain' | 'keyReference'>): Promise<void>
  /** Names of keys that were made here and that none of these references names. */
  listOrphans(keyReferences: readonly string[]): readonly string[]
  /** Puts keys where nothing is read from. */
  setAside(names: readonly string[]): void
}
