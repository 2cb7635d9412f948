import type { Service } from '../services/service.ts'
import type { RequestContext } from './context.ts'
import { HttpError } from './error.ts'
import { RateLimit } from './rate-limit.ts'

const capacity = 10_000

/** All addresses together may ask this many times as often as one. */
const addresses = 20

interface Limits {
  readonly each: RateLimit
  readonly all: RateLimit
}

/**
 * Makes a count of requests by address. What it gives takes one, and throws HttpError `too-many-requests` where there is
 * none left; Retry-After says how long that is so.
 *
 * @param perMinuteOf how many one address may make in a minute
 */
export function createRequestLimit(
  perMinuteOf: (settings: Service['settings']) => number,
): (ctx: RequestContext) => void {
  const limitsOf = new WeakMap<Service, Limits>()
  return ctx => {
    const { service } = ctx
    const limits = limitsOf.get(service) ?? createLimits(perMinuteOf(service.settings))
    limitsOf.set(service, limits)
    const now = service.clock.now()
    const address = ctx.req.socket.remoteAddress ?? ''
    const seconds = limits.each.take(address, now) || limits.all.take('', now)
    if (seconds === 0) return
    ctx.set('Retry-After', String(seconds))
    throw new HttpError('too-many-requests')
  }
}

function createLimits(perMinute: number): Limits {
  return {
    each: new RateLimit({ perMinute, capacity }),
    all: new RateLimit({ perMinute: perMinute * addresses, capacity: 1 }),
  }
}
