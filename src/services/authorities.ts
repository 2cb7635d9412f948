import type { CertificateSigner } from '../core/issuance/credential.ts'
import { prepareIssuer } from '../core/issuance/issuer.ts'
import type { AuthorityKeys, AuthorityRecord, AuthoritySet } from '../ports/authority.ts'
import type { Store } from '../ports/store.ts'
import { ServiceError } from './error.ts'

/** An authority that can sign. */
export interface Authority {
  readonly id: string
  /** Issuing certificate first, root last; DER. */
  readonly chain: readonly Uint8Array[]
  readonly signer: CertificateSigner
}

type Listener = () => void

/** No certificate of hosts and agents may live longer than a day (`certificate.lifetimeSeconds`). */
const tellsForMs = 2 * 86_400_000

function standing({ state, activatedAt }: AuthorityRecord): number {
  return state === 'active' ? Infinity : (activatedAt ?? 0)
}

/**
 * The authorities of the trust domain as the store has them, and their signers. What is here is what the last
 * {@link reload} read; a use case that signs says which authority it signed under, and the store refuses one that is
 * not active any more inside the transaction that records the intent.
 */
export class Authorities {
  readonly #store: Pick<Store, 'authorities'>
  readonly #keys: AuthorityKeys
  readonly #signing = new Map<string, Authority>()
  readonly #listeners = new Set<Listener>()
  #set: AuthoritySet = { authorities: [], bundleSequence: 0 }
  #started = 0
  #applied = 0

  private constructor(store: Pick<Store, 'authorities'>, keys: AuthorityKeys) {
    this.#store = store
    this.#keys = keys
  }

  /** Reads them for the first time. Throws StoreError. */
  static async load(store: Pick<Store, 'authorities'>, keys: AuthorityKeys): Promise<Authorities> {
    const authorities = new Authorities(store, keys)
    await authorities.reload()
    return authorities
  }

  /** Where the keys are made. */
  get keys(): AuthorityKeys {
    return this.#keys
  }

  /** All of them, oldest first, revoked ones too. */
  get records(): readonly AuthorityRecord[] {
    return this.#set.authorities
  }

  /** Of the trust bundle as it was read last. */
  get bundleSequence(): number {
    return this.#set.bundleSequence
  }

  /** Those whose roots are in the trust bundle. */
  get trusted(): readonly AuthorityRecord[] {
    return this.records.filter(({ state }) => state !== 'revoked')
  }

  /**
   * Those of whose certificates anybody may still ask: their own time is not over, and one that was revoked goes on
   * telling what fell with it for longer than any certificate below it lives.
   *
   * @param now Unix milliseconds
   */
  answering(now: number): readonly Authority[] {
    return this.records
      .filter(({ keyDestroyedAt }) => keyDestroyedAt === null)
      .filter(({ state, changedAt }) => state !== 'revoked' || now < changedAt + tellsForMs)
      .map(record => this.#signingOf(record))
      .filter(({ chain: [issuer] }) => issuer !== undefined && prepareIssuer(issuer).notAfter > now)
  }

  /** Under which the service shows itself: the one that issues, else the newest that is trusted. */
  serving(): Authority {
    const candidates = this.trusted.toSorted((a, b) => standing(b) - standing(a))
    const [record] = candidates.filter(
      ({ state, keyDestroyedAt }) => state !== 'prepared' && keyDestroyedAt === null,
    )
    if (record === undefined) throw new ServiceError('authority-absent')
    return this.#signingOf(record)
  }

  /**
   * The one that issues now.
   *
   * @throws ServiceError `authority-absent`
   */
  active(): Authority {
    const record = this.records.find(({ state }) => state === 'active')
    if (record === undefined) throw new ServiceError('authority-absent')
    return this.#signingOf(record)
  }

  /** Any of them whose key is kept, with its signer: the lists of what an authority revoked are signed by itself (RFC 5280 §6.3.3). */
  find(id: string): Authority | undefined {
    const record = this.records.find(authority => authority.id === id)
    return record?.keyDestroyedAt === null ? this.#signingOf(record) : undefined
  }

  /** One per authority: what is prepared of its certificate is remembered by the bytes object. */
  #signingOf(record: AuthorityRecord): Authority {
    let authority = this.#signing.get(record.id)
    if (authority === undefined) {
      const { id, chain } = record
      authority = { id, chain, signer: this.#keys.open(record) }
      this.#signing.set(id, authority)
    }
    return authority
  }

  /** Reads them again and tells whoever listens; of readings that overlap the one that began last counts. */
  async reload(): Promise<void> {
    this.#started += 1
    const turn = this.#started
    const set = await this.#store.authorities.read()
    if (turn < this.#applied) return
    this.#applied = turn
    const isOther = JSON.stringify(states(set)) !== JSON.stringify(states(this.#set))
    this.#set = set
    for (const { id, keyDestroyedAt } of set.authorities)
      if (keyDestroyedAt !== null) this.#signing.delete(id)
    if (isOther) for (const listener of this.#listeners) listener()
  }

  /** Calls back after each change; gives what ends that. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

function states({ authorities, bundleSequence }: AuthoritySet): unknown {
  return [bundleSequence, authorities.map(({ id, state }) => [id, state])]
}
