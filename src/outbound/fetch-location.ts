import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { allowedLocation } from '../core/x509/location.ts'
import { OutboundError } from '../ports/outbound-error.ts'
import type { Network } from './network.ts'

/** What may be fetched, and how much of it. */
export interface FetchLimits {
  /** Host names, exactly. */
  readonly hosts: readonly string[]
  /** From the name to the last byte, redirections counted in. */
  readonly timeoutSeconds: number
  readonly maxBytes: number
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
  let url = allowedLocation(location, limits)
  if (url === undefined) throw new OutboundError('outbound-location')
  const signal = AbortSignal.timeout(limits.timeoutSeconds * 1000)
  for (let redirects = 0; redirects <= redirectLimit; redirects += 1) {
    const address = await findAddress(url.hostname, network, signal)
    const answer = await fetchOnce(url, address, limits, network, signal)
    if (answer instanceof Uint8Array) return answer
    url = allowedLocation(new URL(answer.location, url).href, limits)
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
  { maxBytes }: FetchLimits,
  network: Network,
  signal: AbortSignal,
): Promise<Uint8Array | Redirection> {
  const isTls = url.protocol === 'https:'
  const endpoint = { address, port: isTls ? 443 : 80, host: url.hostname, isTls }
  const sent = request({
    method: 'GET',
    path: url.pathname + url.search,
    headers: { Host: url.hostname, Accept: '*/*', 'Accept-Encoding': 'identity' },
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
  const { code = '' } = cause as Partial<NodeJS.ErrnoException>
  // The parser of HTTP names what it does not take in this way.
  const isHttp = code.startsWith('HPE_')
  return new OutboundError(isHttp ? 'outbound-answer' : 'outbound-unreachable', { cause })
}

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
