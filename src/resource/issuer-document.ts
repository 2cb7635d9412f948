import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { ResourceError } from './error.ts'

const longestMs = 5_000
const largest = 1024 * 1024

/** How a document of the issuer comes here: its text, or a rejection. Replace it to use another HTTP client. */
export type FetchDocument = (url: string, accept: string) => Promise<string>

/**
 * Fetches over HTTPS under the root that the caller trusts: at most 1 MiB, in 5 seconds, no redirect followed.
 *
 * @param authority PEM of the issuer's root; the machine's own roots where it is left out
 */
export function createFetchDocument(authority?: string): FetchDocument {
  return async (url, accept) => {
    try {
      return await readText(await send(url, accept, authority))
    } catch (cause) {
      if (cause instanceof ResourceError) throw cause
      throw new ResourceError('issuer-unreachable', { found: url, cause })
    }
  }
}

async function send(
  url: string,
  accept: string,
  authority: string | undefined,
): Promise<IncomingMessage> {
  const signal = AbortSignal.timeout(longestMs)
  const trust = authority === undefined ? {} : { ca: authority }
  return await new Promise((resolve, reject) => {
    request(url, { headers: { Accept: accept }, signal, ...trust }, resolve)
      .once('error', reject)
      .end()
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > largest) {
      response.destroy()
      throw new ResourceError('issuer-answer', { expected: `at most ${largest} bytes` })
    }
    chunks.push(chunk)
  }
  if (response.statusCode !== 200)
    throw new ResourceError('issuer-unreachable', {
      expected: 'status 200',
      found: `${response.statusCode}`,
    })
  return Buffer.concat(chunks).toString('utf8')
}
