import { encodeStatusList } from '../core/status/status-list.ts'
import { statusListType, type StatusListClaims } from '../core/status/status-list-token.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'
import { signToken } from './signed-token.ts'
import { statusListUri } from './status-places.ts'

/** How long a list may be relied on where the service cannot be reached. */
export const statusListSeconds = 600
/** How long it may be kept without asking again: what is revoked is told within so much. */
const ttlSeconds = 1
/** A list that changes all the time is signed so often at most; who asks meanwhile waits for the next one. */
const leastIntervalMs = 250

/** A signed list. */
export interface StatusListToken {
  /** Compact JWS of type `statuslist+jwt`. */
  readonly token: string
  /** Entity tag, with its quotes. */
  readonly etag: string
}

interface Kept extends StatusListToken {
  /** Of the key that signed it: a list of another one is signed anew, since that one may be out. */
  readonly kid: string
  readonly version: number
  readonly signedAt: number
  readonly expiresAt: number
}

/**
 * Status lists, signed when they have changed. Every answer holds what was revoked before it was asked for: the store
 * is read each time, the signature alone is kept.
 *
 * @see draft-ietf-oauth-status-list-21 §5.1, §8
 */
export class StatusListTokens {
  readonly #service: Service
  readonly #kept = new Map<string, Kept>()
  /** Signatures that have not read the store yet: who comes now may wait for them. */
  readonly #waiting = new Map<string, Promise<StatusListToken>>()
  /** Of each list what its next signature waits for. */
  readonly #turns = new Map<string, Promise<void>>()

  constructor(service: Service) {
    this.#service = service
  }

  /**
   * The list of a name as it is at this moment.
   *
   * @throws ServiceError `status-list-unknown`; whatever the signer throws
   */
  async find(name: string): Promise<StatusListToken> {
    const now = this.#service.clock.now()
    const kept = this.#kept.get(name)
    const version = await this.#service.store.statusLists.version(name, now)
    if (version === undefined) {
      this.#kept.delete(name)
      throw new ServiceError('status-list-unknown', { found: name })
    }
    const { kid } = this.#service.tokenKeys.current
    const isCurrent = kept?.version === version && kept.kid === kid
    if (isCurrent && kept.signedAt + (statusListSeconds * 1000) / 2 > now) return kept
    return await this.#renew(name, isCurrent ? 0 : leastIntervalMs)
  }

  async #renew(name: string, intervalMs: number): Promise<StatusListToken> {
    const waiting = this.#waiting.get(name)
    if (waiting !== undefined) return await waiting
    const before = this.#turns.get(name)
    const work = (async () => {
      await before
      this.#waiting.delete(name)
      return await this.#sign(name)
    })()
    this.#waiting.set(name, work)
    const turn = work.then(
      async () => pause(intervalMs),
      () => undefined,
    )
    this.#turns.set(name, turn)
    void turn.then(() => this.#turns.get(name) === turn && this.#turns.delete(name))
    return await work
  }

  async #sign(name: string): Promise<StatusListToken> {
    const { store, clock, settings } = this.#service
    const now = clock.now()
    const found = await store.statusLists.read(name, now)
    if (found === undefined) throw new ServiceError('status-list-unknown', { found: name })
    const iat = Math.floor(now / 1000)
    const exp = Math.min(iat + statusListSeconds, Math.ceil(found.expiresAt / 1000))
    const claims: StatusListClaims = {
      sub: statusListUri(settings, name),
      iat,
      exp,
      ttl: ttlSeconds,
      status_list: encodeStatusList(found.size, found.revoked),
    }
    const { kid } = this.#service.tokenKeys.current
    const token = await signToken(this.#service, statusListType, claims)
    const etag = `"${found.version}-${now}"`
    const kept = { token, etag, kid, version: found.version, signedAt: now, expiresAt: exp * 1000 }
    this.#forgetExpired(now)
    this.#kept.set(name, kept)
    return kept
  }

  #forgetExpired(now: number): void {
    for (const [name, { expiresAt }] of this.#kept) if (expiresAt <= now) this.#kept.delete(name)
  }
}

async function pause(ms: number): Promise<void> {
  await new Promise(resolve => void setTimeout(resolve, ms))
}

const lists = new WeakMap<Service, StatusListTokens>()

/**
 * See {@link StatusListTokens.find}.
 *
 * @throws ServiceError `status-list-unknown`
 */
export async function findStatusList(service: Service, name: string): Promise<StatusListToken> {
  const known = lists.get(service) ?? new StatusListTokens(service)
  lists.set(service, known)
  return await known.find(name)
}

/** URIs of all lists in their time (draft-ietf-oauth-status-list-21 §9). */
export async function listStatusLists(service: Service): Promise<readonly string[]> {
  const names = await service.store.statusLists.list(service.clock.now())
  return names.map(name => statusListUri(service.settings, name))
}
