import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { allowedLocation } from '../core/x509/location.ts'
import { OutboundError, type OutboundErrorCode } from '../ports/outbound-error.ts'
import type { Network, ServerAuthentication } from './network.ts'

/** What may be fetched, and how much of it. */
export interface FetchLimits {
  /** Host names, exactly. */
  readonly hosts: readonly string[]
  /** From the name to the last byte, redirections counted in. */
  readonly timeoutSeconds: number
  readonly maxBytes: number
}

/** How one thing is fetched: which locations may be asked, how their servers show who they are, and within what. */
export interface FetchPlan extends Pick<FetchLimits, 'timeoutSeconds' | 'maxBytes'> {
  /** The URL of a location that may be asked; each redirection is held against this as well. */
  readonly allow: (location: string) => URL | undefined
  readonly authentication?: ServerAuthentication
}

const redirectLimit = 3
const redirections: readonly number[] = [301, 302, 303, 307, 308]

/**
 * Fetches what a certificate names: from a host of the list by http or https, from an address that the network's rule
 * lets pass, within a time and a size. Each redirection is held against the same rules. http is enough since what comes
 * back is signed, and nothing is trusted for where it came from.
 *
 * @throws OutboundError all but `outbound-crowded`
 * @see RFC 5280 §8; verification E10
 */
export async function fetchLocation(
  location: string,
  limits: FetchLimits,
  network: Network,
): Promise<Uint8Array> {
  const allow = (text: string): URL | undefined => allowedLocation(text, limits)
  return await fetchByPlan(location, { ...limits, allow }, network)
}

/** As {@link fetchLocation}, by rules of its own. Throws OutboundError, `outbound-identity` as well. */
export async function fetchByPlan(
  location: string,
  plan: FetchPlan,
  network: Network,
): Promise<Uint8Array> {
  let url = plan.allow(location)
  if (url === undefined) throw new OutboundError('outbound-location')
  const signal = AbortSignal.timeout(plan.timeoutSeconds * 1000)
  for (let redirects = 0; redirects <= redirectLimit; redirects += 1) {
    const address = await findAddress(url.hostname, network, signal)
    const answer = await fetchOnce(url, address, plan, network, signal)
    if (answer instanceof Uint8Array) return answer
    url = plan.allow(new URL(answer.location, url).href)
    if (url === undefined) throw new OutboundError('outbound-redirect')
  }
  throw new OutboundError('outbound-redirect', { found: `more than ${redirectLimit}` })
}

/** One address of a name, all of which must be allowed: a name that leads inside as well is not asked. */
async function findAddress(host: string, network: Network, signal: AbortSignal): Promise<string> {
  const addresses = await untilAborted(network.resolve(host), signal)
  const [address] = addresses
  if (address === undefined) throw new OutboundError('outbound-unreachable', { found: host })
  if (!addresses.every(each => network.isAllowed(each)))
    throw new OutboundError('outbound-address', { found: host })
  return address
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(new OutboundError('outbound-slow'))
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, (cause: unknown) =>
      reject(new OutboundError('outbound-unreachable', { cause })),
    )
  })
}

interface Redirection {
  readonly location: string
}

async function fetchOnce(
  url: URL,
  address: string,
  { maxBytes, authentication }: FetchPlan,
  network: Network,
  signal: AbortSignal,
): Promise<Uint8Array | Redirection> {
  const isTls = url.protocol === 'https:'
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port)
  const endpoint = { address, port, host: url.hostname, isTls, authentication }
  const sent = request({
    method: 'GET',
    path: url.pathname + url.search,
    headers: { Host: url.host, Accept: '*/*', 'Accept-Encoding': 'identity' },
    createConnection: () => network.connect(endpoint),
    maxHeaderSize: 8192,
    signal,
  })
  // What breaks after the answer has begun shows where the answer is read.
  sent.on('error', () => undefined)
  try {
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return await readAnswer(response, maxBytes)
  } catch (cause) {
    throw errorOf(cause, signal)
  } finally {
    sent.destroy()
  }
}

function errorOf(cause: unknown, { aborted }: AbortSignal): OutboundError {
  if (cause instanceof OutboundError) return cause
  if (aborted) return new OutboundError('outbound-slow', { cause })
  const { code = '', message } = cause as NodeJS.ErrnoException
  const row = meanings.find(({ pattern }) => pattern.test(code))
  if (row === undefined) return new OutboundError('outbound-unreachable', { cause })
  return new OutboundError(row.code, { found: `${code}: ${message}`.slice(0, 200), cause })
}

/** What breaks on the way, by the code that the parser of HTTP, OpenSSL or who verifies the server gives. */
const meanings: readonly { readonly pattern: RegExp; readonly code: OutboundErrorCode }[] = [
  { pattern: /^HPE_/, code: 'outbound-answer' },
  { pattern: /CERT|ALTNAME|LEAF_SIGNATURE|INVALID_(CA|PURPOSE)|svid-/, code: 'outbound-identity' },
]

/** Reads no further than it must: a redirection has no body, and a body has an end. */
async function readAnswer(
  response: IncomingMessage,
  maxBytes: number,
): Promise<Uint8Array | Redirection> {
  const { statusCode = 0, headers } = response
  if (redirections.includes(statusCode)) return redirectionOf(headers.location)
  const encoding = headers['content-encoding'] ?? 'identity'
  if (statusCode !== 200 || encoding !== 'identity')
    throw new OutboundError('outbound-answer', {
      found: `status ${statusCode}, ${encoding.slice(0, 40)}`,
    })
  const tooLarge = new OutboundError('outbound-too-large', {
    expected: `${maxBytes} bytes at most`,
  })
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

function redirectionOf(location: string | undefined): Redirection {
  if (location === undefined || !URL.canParse(location, 'http://host.invalid'))
    throw new OutboundError('outbound-redirect', { found: 'no location' })
  return { location }
}
