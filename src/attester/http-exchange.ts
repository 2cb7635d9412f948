import type { IncomingMessage } from 'node:http'
import { request, type Agent } from 'node:https'
import { ClientError } from './client-error.ts'
import { networkError } from './network-error.ts'

/** One request; `path` begins with a slash and may have a query. */
export interface ExchangeRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** One answer, read to its end. */
export interface Exchange {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: Uint8Array
}

const longestMs = 60_000
/** More than any answer of the service; what is longer is not held. */
const largestAnswer = 32 * 1024 * 1024

/**
 * Sends one request to the service and reads its answer. Redirects are not followed: the service gives none.
 *
 * @throws ClientError `service-…`
 */
export async function exchange(
  agent: Agent,
  issuer: URL,
  wanted: ExchangeRequest,
): Promise<Exchange> {
  try {
    const response = await send(agent, issuer, wanted)
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: await readAll(response),
    }
  } catch (cause) {
    throw networkError(cause, issuer)
  }
}

async function send(
  agent: Agent,
  issuer: URL,
  { method, path, headers, body }: ExchangeRequest,
): Promise<IncomingMessage> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      // A path that begins with two slashes would name another host.
      { ...targetOf(issuer), path, method, agent, signal: AbortSignal.timeout(longestMs) },
      resolve,
    )
    for (const [name, value] of Object.entries(headers ?? {})) outgoing.setHeader(name, value)
    if (body !== undefined) outgoing.setHeader('Content-Length', Buffer.byteLength(body))
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

function targetOf(issuer: URL): { hostname: string; port: number } {
  return { hostname: issuer.hostname.replaceAll(/[[\]]/g, ''), port: Number(issuer.port || 443) }
}

async function readAll(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > largestAnswer) {
      response.destroy()
      throw new ClientError('service-answer', { expected: `at most ${largestAnswer} bytes` })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
