import type { RevocationEvent } from '../ports/revocation.ts'
import { ServiceError } from './error.ts'
import { agentSpiffeId, hostSpiffeId, operatorSpiffeId } from './naming.ts'
import type { Caller } from './resource-access.ts'
import type { Service } from './service.ts'
import { statusListUri } from './status-places.ts'

const mostStreams = 64
/** How often the store is asked whether there is more. */
const pollMs = 200
/** A comment keeps whoever stands between from closing what is silent. */
const heartbeatMs = 15_000
const pageSize = 50
/** How often it is looked at whether the caller may still listen. */
const standingMs = 1_000

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

const open = new WeakMap<Service, { count: number }>()

/**
 * A place in the stream of revocations for one caller. Reads what is next from the store, so that a slow reader costs
 * nothing, and nothing is lost between two connections.
 *
 * @param last what the caller saw last (`Last-Event-ID`); undefined to begin with what comes from now on
 * @returns lines of an event stream; ends when the caller's token expires, or it may not listen any more
 * @throws ServiceError `events-crowded`, `events-forgotten`
 * @see HTML Standard §9.2 Server-sent events
 */
export async function openRevocationStream(
  service: Service,
  caller: Caller,
  last: number | undefined,
  signal: AbortSignal,
): Promise<AsyncIterable<string>> {
  const streams = open.get(service) ?? { count: 0 }
  open.set(service, streams)
  if (streams.count >= mostStreams)
    throw new ServiceError('events-crowded', { found: String(mostStreams) })
  streams.count += 1
  const leave = (): void => {
    streams.count -= 1
  }
  signal.addEventListener('abort', leave, { once: true })
  const { oldest, newest } = await service.store.revocations.readEvents(0, 1)
  const from = last ?? newest
  if (from > newest || from < (oldest ?? 1) - 1)
    throw new ServiceError('events-forgotten', {
      expected: `${(oldest ?? 1) - 1} to ${newest}`,
      found: String(from),
    })
  return tell(service, caller, from, signal)
}

async function* tell(
  service: Service,
  caller: Caller,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<string, void, undefined> {
  let [cursor, silentMs, uncheckedMs] = [from, 0, standingMs]
  yield `: ${service.settings.issuer}\nretry: 1000\n\n`
  while (!signal.aborted) {
    const { events } = await service.store.revocations.readEvents(cursor, pageSize)
    if ((events.length > 0 || uncheckedMs >= standingMs) && !(await mayListen(service, caller)))
      return
    uncheckedMs = uncheckedMs >= standingMs ? 0 : uncheckedMs + pollMs
    for (const { sequence, event } of events) {
      cursor = sequence
      yield `id: ${sequence}\nevent: revocation\ndata: ${JSON.stringify(tellEvent(service, event))}\n\n`
    }
    silentMs = events.length > 0 ? 0 : silentMs + pollMs
    if (silentMs >= heartbeatMs) {
      silentMs = 0
      yield ': still here\n\n'
    }
    if (events.length < pageSize) await pause(pollMs, signal)
  }
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
