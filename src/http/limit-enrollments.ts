import type { Service } from '../services/service.ts'
import type { Step } from './context.ts'
import { HttpError } from './error.ts'
import { RateLimit } from './rate-limit.ts'

const capacity = 10_000

/** All addresses together may ask this many times as often as one. */
const addresses = 20

interface Limits {
  readonly each: RateLimit
  readonly all: RateLimit
}

const limitsOf = new WeakMap<Service, Limits>()

/**
 * Counts enrolment requests by address: each of them leaves an entry in the log for good, and anybody may send one.
 * Throws HttpError `too-many-requests`.
 */
export const limitEnrollments: Step = async function limitEnrollments(ctx, next) {
  const { each, all } = limitsFor(ctx.service)
  const now = ctx.service.clock.now()
  const address = ctx.req.socket.remoteAddress ?? ''
  const seconds = each.take(address, now) || all.take('', now)
  if (seconds > 0) {
    ctx.set('Retry-After', String(seconds))
    throw new HttpError('too-many-requests')
  }
  await next()
}

function limitsFor(service: Service): Limits {
  const known = limitsOf.get(service)
  if (known !== undefined) return known
  const perMinute = service.settings.attestation.requestsPerMinute
  const limits = {
    each: new RateLimit({ perMinute, capacity }),
    all: new RateLimit({ perMinute: perMinute * addresses, capacity: 1 }),
  }
  limitsOf.set(service, limits)
  return limits
}
