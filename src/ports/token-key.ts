import type { AuditEntry } from './records.ts'
import type { Signer } from './signer.ts'

/**
 * A key that signs tokens. Where it stands follows from these times and the clock, for every process alike. All times
 * are Unix milliseconds.
 */
export interface TokenKeyRecord {
  /** RFC 7638 thumbprint. */
  readonly kid: string
  /** DER SubjectPublicKeyInfo, on P-256 or P-384. */
  readonly publicKey: Uint8Array
  /** A file of the data directory, or a `pkcs11:` URI (RFC 7512). */
  readonly keyReference: string
  readonly createdAt: number
  readonly createdBy: string
  /** It is published before, so that everybody knows it by then. */
  readonly signsFrom: number
  /** Until the last token that it signed is over; null while no key follows it. */
  readonly publishedUntil: number | null
  /** When an operator took it out; it verifies nothing from then on. */
  readonly withdrawnAt: number | null
  readonly withdrawnBy: string | null
  readonly reason: string | null
}

/** What replaces the newest key, and from when. */
export interface TokenKeyRotation {
  /** The newest key as the caller knows it: of simultaneous rotations one counts. */
  readonly from: string
  /** Until when that one stays published. */
  readonly publishedUntil: number
  readonly now: number
}

/** Who takes a key out, when and why. */
export interface TokenKeyWithdrawal {
  readonly at: number
  readonly by: string
  readonly reason: string
}

/** The ring of keys behind tokens. Each method is one transaction with its entry. */
export interface TokenKeyStore {
  /** Oldest first, withdrawn ones and those whose time is over too. */
  list(): Promise<TokenKeyRecord[]>
  /** Puts the first key on record; `'exists'` where there is one. */
  adopt(key: TokenKeyRecord, entry: AuditEntry): Promise<'done' | 'exists'>
  /** `'conflict'` when another key than `from` is the newest by now, or it does not sign yet; `'exists'` for a known key. */
  rotate(
    key: TokenKeyRecord,
    rotation: TokenKeyRotation,
    entry: AuditEntry,
  ): Promise<'done' | 'conflict' | 'exists'>
  /** Makes a published key that does not sign yet the one that does, from now on. `'state'` where it signs already. */
  hasten(
    kid: string,
    rotation: TokenKeyRotation,
    entry: AuditEntry,
  ): Promise<'done' | 'conflict' | 'state'>
  /**
   * Takes a key out at once. The newest key that signs needs a successor, which signs from now on; where one is
   * published already, that one does. `'successor'` where none is and none was given.
   */
  withdraw(
    kid: string,
    withdrawal: TokenKeyWithdrawal,
    successor: TokenKeyRecord | undefined,
    entry: AuditEntry,
  ): Promise<'done' | 'unknown' | 'state' | 'successor'>
}

/** A key that was just made, and is on no record. */
export interface CreatedTokenKey {
  readonly publicKey: Uint8Array
  readonly keyReference: string
}

/** Where the private halves are made and used. */
export interface TokenKeyPlaces {
  /**
   * Makes a key, durable before it resolves: where the next one is to be, or, where that is away and it cannot wait, on
   * the disk. Throws what the place throws.
   */
  create(where?: 'embedded'): Promise<CreatedTokenKey>
  /** A signer of a key that is kept. Throws where it cannot be used. */
  open(key: Pick<TokenKeyRecord, 'publicKey' | 'keyReference'>): Promise<Signer>
  /** Gives back what a key that signs no more holds. */
  release(keyReference: string): Promise<void>
  /** Names of keys that were made here and that none of these references names. */
  listOrphans(keyReferences: readonly string[]): readonly string[]
  /** Puts keys where nothing is read from. */
  setAside(names: readonly string[]): void
  /** Lets go of a key that was just made and that no record will name. Throws what the place throws. */
  discard(key: CreatedTokenKey): Promise<void>
}
