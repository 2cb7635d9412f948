import type { Clock } from '../ports/clock.ts'
import type { Outbound } from '../ports/outbound.ts'
import { OutboundError } from '../ports/outbound-error.ts'
import { fetchLocation, type FetchLimits } from './fetch-location.ts'
import type { Network } from './network.ts'

/** How long an answer is remembered, and that there was none. */
const memory = { answerMs: 3_600_000, failureMs: 60_000, entries: 256 } as const

/** Fetches under way at once; a host that is slow holds no more than these. */
const atOnce = 8

interface Remembered {
  readonly answer: Uint8Array | OutboundError
  readonly until: number
}

/**
 * Fetches what issuers publish, within limits: each location once for all who ask at the same time, and not again for
 * as long as the answer, or that there was none, is remembered.
 */
export function createOutbound(limits: FetchLimits, network: Network, clock: Clock): Outbound {
  const remembered = new Map<string, Remembered>()
  const underWay = new Map<string, Promise<Uint8Array>>()

  const remember = (location: string, answer: Uint8Array | OutboundError): void => {
    const lifetime = answer instanceof OutboundError ? memory.failureMs : memory.answerMs
    const [oldest] = remembered.keys()
    if (remembered.size >= memory.entries && oldest !== undefined) remembered.delete(oldest)
    remembered.set(location, { answer, until: clock.now() + lifetime })
  }

  const fetchAnew = async (location: string): Promise<Uint8Array> => {
    try {
      const answer = await fetchLocation(location, limits, network)
      remember(location, answer)
      return answer
    } catch (cause) {
      if (cause instanceof OutboundError) remember(location, cause)
      throw cause
    } finally {
      underWay.delete(location)
    }
  }

  return {
    fetch: async location => {
      const before = remembered.get(location)
      if (before !== undefined && before.until > clock.now()) return answerOf(before)
      remembered.delete(location)
      const running = underWay.get(location)
      if (running !== undefined) return await running
      if (underWay.size >= atOnce) throw new OutboundError('outbound-crowded')
      const started = fetchAnew(location)
      underWay.set(location, started)
      return await started
    },
  }
}

function answerOf({ answer }: Remembered): Uint8Array {
  if (answer instanceof OutboundError) throw answer
  return answer
}
