import { jwsAlgorithmOf } from '../core/jose/algorithm.ts'
import { importSpki } from '../core/jose/ec-key.ts'
import { exportJwk, thumbprint } from '../core/jose/jwk.ts'
import type { TokenVerificationKey } from '../core/token/access-token.ts'
import type { Clock } from '../ports/clock.ts'
import type { Signer } from '../ports/signer.ts'
import type { Store } from '../ports/store.ts'
import type { TokenKeyPlaces, TokenKeyRecord } from '../ports/token-key.ts'
import { ServiceError } from './error.ts'
import { tokenKeysAt, type TokenKeysAt } from './token-key-standing.ts'

/** A key that signs tokens, in this process or in a token of hardware. */
export interface TokenSigner extends TokenVerificationKey {
  /** r ‖ s (RFC 7518 §3.4); at once where the key is embedded. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** The keys behind everything that is signed as a JWS. */
export interface TokenKeys {
  /** Signs at this moment. Throws ServiceError `token-key-absent`. */
  readonly current: TokenSigner
  /**
   * What verifies, as `/oauth/jwks` shows it: the same array until a key joins or leaves, so that whoever remembers what
   * was verified can tell by it that this is over.
   */
  readonly published: readonly TokenVerificationKey[]
}

/**
 * The public half as a key of tokens; its RFC 7638 thumbprint is the `kid`.
 *
 * @param spki DER SubjectPublicKeyInfo
 * @throws JoseError `jwk-malformed` for a key that is not on P-256 or P-384
 */
export function tokenVerificationKey(spki: Uint8Array): TokenVerificationKey {
  const key = importSpki(spki)
  const jwk = exportJwk(key)
  return { kid: thumbprint(jwk), key, algorithm: jwsAlgorithmOf[jwk.crv] }
}

interface RingBasis {
  readonly store: Pick<Store, 'tokenKeys'>
  readonly clock: Clock
  readonly places: TokenKeyPlaces
}

interface Moment extends TokenKeysAt {
  readonly verification: readonly TokenVerificationKey[]
}

/**
 * The ring of keys that sign tokens: what the store had at the last {@link reload}, and the clock. A change that was
 * announced happens in every process at its time; any other once the process has read it, within a second.
 */
export class TokenKeyRing implements TokenKeys {
  readonly places: TokenKeyPlaces
  readonly #basis: RingBasis
  readonly #known = new Map<string, TokenVerificationKey>()
  readonly #signers = new Map<string, TokenSigner>()
  readonly #opening = new Map<string, Promise<void>>()
  #records: readonly TokenKeyRecord[] = []
  #moment: Moment = { signing: undefined, published: [], until: 0, verification: [] }
  #started = 0
  #applied = 0

  constructor(basis: RingBasis) {
    this.#basis = basis
    this.places = basis.places
  }

  /** All keys, in the order in which they sign. */
  get records(): readonly TokenKeyRecord[] {
    return this.#records
  }

  get current(): TokenSigner {
    const { signing } = this.#now()
    const signer = signing && this.#signers.get(signing.kid)
    if (signer === undefined) throw new ServiceError('token-key-absent')
    return signer
  }

  get published(): readonly TokenVerificationKey[] {
    return this.#now().verification
  }

  /** As {@link read}, and opens the keys that sign or will. Throws what a place throws for one that cannot be used. */
  async reload(): Promise<void> {
    await this.read()
    await this.#openSigners()
  }

  /** Reads the keys again; of readings that overlap the one that began last counts. Throws StoreError. */
  async read(): Promise<void> {
    this.#started += 1
    const turn = this.#started
    const records = await this.#basis.store.tokenKeys.list()
    if (turn < this.#applied) return
    this.#applied = turn
    this.#records = records
    this.#look(this.#basis.clock.now())
  }

  #now(): Moment {
    const now = this.#basis.clock.now()
    if (now >= this.#moment.until) this.#look(now)
    return this.#moment
  }

  #look(now: number): void {
    const at = tokenKeysAt(this.#records, now)
    const before = this.#moment.verification
    const found = at.published.map(record => this.#verificationOf(record))
    const isSame = found.length === before.length && found.every((key, n) => key === before[n])
    this.#moment = { ...at, verification: isSame ? before : found }
  }

  #verificationOf({ kid, publicKey }: TokenKeyRecord): TokenVerificationKey {
    const known = this.#known.get(kid) ?? tokenVerificationKey(publicKey)
    this.#known.set(kid, known)
    return known
  }

  async #openSigners(): Promise<void> {
    const { signing, published } = this.#now()
    const wanted = published.filter(key => key.signsFrom >= (signing?.signsFrom ?? 0))
    for (const [kid] of this.#signers)
      if (!wanted.some(key => key.kid === kid)) await this.#release(kid)
    const outcomes = await Promise.allSettled(wanted.map(async key => await this.#open(key)))
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
  }

  async #open(record: TokenKeyRecord): Promise<void> {
    const { kid } = record
    if (this.#signers.has(kid)) return
    const opening = this.#opening.get(kid) ?? this.#openOnce(record)
    this.#opening.set(kid, opening)
    await opening.finally(() => this.#opening.delete(kid))
  }

  async #openOnce(record: TokenKeyRecord): Promise<void> {
    const signer = await this.places.open(record)
    this.#signers.set(record.kid, signerOf(this.#verificationOf(record), signer))
  }

  async #release(kid: string): Promise<void> {
    this.#signers.delete(kid)
    const record = this.#records.find(key => key.kid === kid)
    if (record !== undefined) await this.places.release(record.keyReference)
  }
}

function signerOf(key: TokenVerificationKey, signer: Signer): TokenSigner {
  return { ...key, sign: message => signer.sign(message) }
}
