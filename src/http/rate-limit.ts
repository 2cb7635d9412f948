/** What one network has left, and when that was counted. */
interface Bucket {
  readonly tokens: number
  readonly at: number
}

/**
 * A token bucket for each network address: `perMinute` at once, and as many again over a minute. At most `capacity`
 * addresses are remembered; the one longest unseen goes first.
 */
export class RateLimit {
  readonly #perMinute: number
  readonly #capacity: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(limits: { readonly perMinute: number; readonly capacity: number }) {
    this.#perMinute = limits.perMinute
    this.#capacity = limits.capacity
  }

  /**
   * Takes one from the address. Gives the seconds to wait until there is one to take, 0 when it was taken.
   *
   * @param now Unix milliseconds
   */
  take(address: string, now: number): number {
    const network = networkOf(address)
    const tokens = this.#tokensOf(network, now)
    const taken = tokens >= 1
    this.#buckets.delete(network)
    this.#buckets.set(network, { tokens: taken ? tokens - 1 : tokens, at: now })
    this.#evict()
    return taken ? 0 : Math.ceil(((1 - tokens) * 60) / this.#perMinute)
  }

  #tokensOf(network: string, now: number): number {
    const bucket = this.#buckets.get(network)
    if (bucket === undefined) return this.#perMinute
    const gained = (Math.max(0, now - bucket.at) * this.#perMinute) / 60_000
    return Math.min(this.#perMinute, bucket.tokens + gained)
  }

  #evict(): void {
    if (this.#buckets.size <= this.#capacity) return
    const [oldest] = this.#buckets.keys()
    if (oldest !== undefined) this.#buckets.delete(oldest)
  }
}

/**
 * What one party can be assumed to hold: an IPv4 address, or the /64 of an IPv6 address, of which every machine has as
 * many as it likes (RFC 6177 §2).
 */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  if (!address.includes(':')) return address
  const [head = '', tail] = address.replace(/%.*$/, '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  const groups = [...left, ...(tail === undefined ? [] : zeros), ...right].slice(0, 4)
  return `${groups.map(group => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}
