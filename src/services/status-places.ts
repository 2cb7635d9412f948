import type { StatusPlace } from '../ports/status-store.ts'
import { createId } from './naming.ts'
import type { Service } from './service.ts'

/** Places in one list, 16 KiB once inflated. */
const listSize = 131_072
/** A list takes tokens for so long at most, so that one that is hardly used is forgotten as well. */
const openMs = 3_600_000
const randomBatch = 1_024

/** A place for one token, as the token names it. */
export interface AllottedPlace extends StatusPlace {
  readonly uri: string
}

/** The list that this process fills, and which of its places are free. */
interface OpenList {
  readonly list: number
  readonly uri: string
  readonly closesAt: number
  /** The first `left` members are free. */
  readonly free: Uint32Array
  left: number
}

/**
 * Allots places in lists that this process alone fills: each place once, in random order, so that an index tells nothing
 * of when a token was issued or how many there are. A place whose token was never issued stays unused.
 *
 * @see draft-ietf-oauth-status-list-21 §12.5.2, §13.2
 */
export class StatusPlaces {
  readonly #service: Service
  #open: OpenList | undefined
  #opening: Promise<OpenList> | undefined
  #random: DataView = new DataView(new ArrayBuffer(0))
  #used = 0

  constructor(service: Service) {
    this.#service = service
  }

  /** At once, but where a list has to be opened. */
  allot(): AllottedPlace | Promise<AllottedPlace> {
    const open = this.#open
    if (open !== undefined && open.left > 0 && open.closesAt > this.#service.clock.now())
      return this.#take(open)
    return this.#next().then(() => this.allot())
  }

  #take(open: OpenList): AllottedPlace {
    const chosen = this.#below(open.left)
    const index = open.free[chosen] as number
    open.left -= 1
    open.free[chosen] = open.free[open.left] as number
    return { list: open.list, uri: open.uri, index }
  }

  async #next(): Promise<OpenList> {
    this.#opening ??= this.#openList().finally(() => {
      this.#opening = undefined
    })
    return await this.#opening
  }

  async #openList(): Promise<OpenList> {
    const { store, settings, clock } = this.#service
    const name = createId(this.#service)
    const openedAt = clock.now()
    const closesAt = openedAt + openMs
    const expiresAt = closesAt + (settings.tokenMaxLifetimeSeconds + 1) * 1000
    const list = await store.statusLists.open({
      name,
      size: listSize,
      openedAt,
      closesAt,
      expiresAt,
    })
    const free = Uint32Array.from({ length: listSize }, (_, index) => index)
    this.#open = { list, uri: statusListUri(settings, name), closesAt, free, left: listSize }
    return this.#open
  }

  /** A random number below a limit that is far below 2^32, so that its bias is of no use. */
  #below(limit: number): number {
    if (this.#used === this.#random.byteLength) {
      const bytes = this.#service.random.bytes(4 * randomBatch)
      this.#random = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      this.#used = 0
    }
    const number = this.#random.getUint32(this.#used)
    this.#used += 4
    return number % limit
  }
}

/** The URI of a list: what tokens name, and `sub` of the list's token. */
export function statusListUri({ issuer }: { readonly issuer: string }, name: string): string {
  return `${issuer}/v1/status-lists/${name}`
}

/** The last part of such a URI; undefined for another's. */
export function statusListName(
  settings: { readonly issuer: string },
  uri: string,
): string | undefined {
  const prefix = statusListUri(settings, '')
  return uri.startsWith(prefix) ? uri.slice(prefix.length) : undefined
}

const places = new WeakMap<Service, StatusPlaces>()

/** The places of a service; one set a process. */
export function statusPlacesOf(service: Service): StatusPlaces {
  const known = places.get(service) ?? new StatusPlaces(service)
  places.set(service, known)
  return known
}
