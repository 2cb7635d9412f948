import type { RevocationEvent } from '../ports/revocation.ts'
import { ServiceError } from './error.ts'
import { agentSpiffeId, hostSpiffeId, operatorSpiffeId } from './naming.ts'
import type { Caller } from './resource-access.ts'
import type { Service } from './service.ts'
import { statusListUri } from './status-places.ts'
import { StreamPlaces } from './stream-places.ts'

/** How a stream is held open. */
export interface StreamPace {
  /** How often the store is asked whether there is more, milliseconds. */
  readonly pollMs: number
  /** A comment keeps whoever stands between from closing what is silent. */
  readonly heartbeatMs: number
  /** How often it is looked at whether the caller may still listen. */
  readonly standingMs: number
}

const usualPace: StreamPace = { pollMs: 200, heartbeatMs: 15_000, standingMs: 1_000 }
const limits = { most: 64, mostOfCaller: 16 } as const
const pageSize = 50

/** What is told of one part of an act. */
export interface ToldRevocation {
  readonly revocation: number
  /** Unix milliseconds. */
  readonly at: number
  readonly kind: string
  readonly target: string
  /** RFC 5280 §5.3.1. */
  readonly reasonCode: string
  /** False where more of the act follows. */
  readonly isLast: boolean
  /** SPIFFE IDs. */
  readonly hosts: readonly string[]
  readonly agents: readonly string[]
  readonly operators: readonly string[]
  /** Serial numbers, lower-case hex. */
  readonly certificates: readonly string[]
  readonly tokens: readonly { readonly jti: string; readonly uri: string; readonly idx: number }[]
}

const placesOf = new WeakMap<Service, StreamPlaces>()

/**
 * A place in the stream of revocations for one caller. Reads what is next from the store, so that a slow reader costs
 * nothing, and nothing is lost between two connections, of whichever processes. What cannot be gone on from is told by
 * an event `reset`: the caller reads lists anew, and is told what comes from then on.
 *
 * @param last what the caller saw last (`Last-Event-ID`); undefined to begin with what comes from now on
 * @param signal ends the stream and gives its place back
 * @returns lines of an event stream; ends when the caller's token expires, or it may not listen any more
 * @throws ServiceError `events-crowded`
 * @see HTML Standard §9.2 Server-sent events
 */
export async function openRevocationStream(
  service: Service,
  caller: Caller,
  last: number | undefined,
  signal: AbortSignal,
  pace: StreamPace = usualPace,
): Promise<AsyncIterable<string>> {
  const places = placesOf.get(service) ?? new StreamPlaces(limits)
  placesOf.set(service, places)
  const leave = places.take(caller.id)
  if (leave === undefined)
    throw new ServiceError('events-crowded', {
      expected: `${limits.most} streams at most, ${limits.mostOfCaller} of one caller`,
    })
  signal.addEventListener('abort', leave, { once: true })
  const { oldest, newest } = await service.store.revocations.readEvents(0, 1)
  const from = last ?? newest
  const isForgotten = from > newest || from < (oldest ?? 1) - 1
  const beginning = isForgotten ? [eventLines(newest, 'reset', { after: from, newest })] : []
  return tell(service, caller, { beginning, from: isForgotten ? newest : from, signal, pace })
}

interface Telling {
  readonly beginning: readonly string[]
  readonly from: number
  readonly signal: AbortSignal
  readonly pace: StreamPace
}

async function* tell(
  service: Service,
  caller: Caller,
  { beginning, from, signal, pace: { pollMs, heartbeatMs, standingMs } }: Telling,
): AsyncGenerator<string, void, undefined> {
  let [cursor, silentMs, uncheckedMs] = [from, 0, standingMs]
  yield `: ${service.settings.issuer}\nretry: 1000\n\n`
  yield* beginning
  while (!signal.aborted) {
    const { events } = await service.store.revocations.readEvents(cursor, pageSize)
    if ((events.length > 0 || uncheckedMs >= standingMs) && !(await mayListen(service, caller)))
      return
    uncheckedMs = uncheckedMs >= standingMs ? 0 : uncheckedMs + pollMs
    for (const { sequence, event } of events) {
      cursor = sequence
      yield eventLines(sequence, 'revocation', tellEvent(service, event))
    }
    silentMs = events.length > 0 ? 0 : silentMs + pollMs
    if (silentMs >= heartbeatMs) {
      silentMs = 0
      yield ': still here\n\n'
    }
    if (events.length < pageSize) await pause(pollMs, signal)
  }
}

function eventLines(id: number, type: string, data: unknown): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`
}

/** The token in its time and not taken back, its holder active, its key not replaced. */
async function mayListen(service: Service, { claims, client }: Caller): Promise<boolean> {
  if (claims.exp * 1000 <= service.clock.now()) return false
  if (await service.store.tokens.isRevoked(claims.jti)) return false
  const current = await service.store.clients.findByKey(client.key.jkt)
  return current?.kind === 'operator' && current.operator.status === 'active'
}

function tellEvent(service: Service, event: RevocationEvent): ToldRevocation {
  const { hosts, agents, operators, tokens } = event
  return {
    ...event,
    hosts: hosts.map(id => hostSpiffeId(service, id)),
    agents: agents.map(({ id, class: name }) => agentSpiffeId(service, name, id)),
    operators: operators.map(id => operatorSpiffeId(service, id)),
    tokens: tokens.map(({ jti, list, index }) => ({
      jti,
      uri: statusListUri(service.settings, list),
      idx: index,
    })),
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}
