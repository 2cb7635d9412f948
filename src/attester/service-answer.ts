import { ClientError } from './client-error.ts'
import type { Exchange } from './http-exchange.ts'
import { RemoteError } from './remote-error.ts'

/** The answer of the token endpoint (RFC 6749 §5.1). */
export interface TokenAnswer {
  readonly access_token: string
  readonly token_type: string
  /** Seconds. */
  readonly expires_in: number
  readonly scope: string
}

/**
 * The bytes of an answer; undefined where the service has nothing.
 *
 * @throws RemoteError; ClientError `service-answer`
 */
export function readBytes(answer: Exchange): Uint8Array | undefined {
  if (answer.status === 404) return undefined
  if (answer.status !== 200) throw refusalOf(answer)
  return answer.body
}

/**
 * The value of a JSON answer.
 *
 * @throws RemoteError for a refusal; ClientError `service-answer`
 */
export function readJson(answer: Exchange): unknown {
  if (answer.status < 200 || answer.status > 299) throw refusalOf(answer)
  return parseJson(answer)
}

function refusalOf(answer: Exchange): RemoteError {
  const document = parseJson(answer)
  const isObject = typeof document === 'object' && document !== null && !Array.isArray(document)
  return new RemoteError(answer.status, isObject ? (document as Record<string, unknown>) : {})
}

function parseJson({ status, body }: Exchange): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body))
  } catch (cause) {
    throw new ClientError('service-answer', { expected: 'JSON', found: `status ${status}`, cause })
  }
}

/** Whether an answer asks for a proof with its nonce (RFC 9449 §8 at the token endpoint, §9 at a resource). */
export function asksForNonce({ status, headers, body }: Exchange): boolean {
  if (typeof headers['dpop-nonce'] !== 'string') return false
  if (status === 401) return /\buse_dpop_nonce\b/.test(headers['www-authenticate'] ?? '')
  return status === 400 && /"error"\s*:\s*"use_dpop_nonce"/.test(Buffer.from(body).toString('utf8'))
}

/**
 * The answer of the token endpoint; a token that is not bound to the key is none.
 *
 * @throws ClientError `service-answer`
 */
export function parseTokenAnswer(value: unknown): TokenAnswer {
  const answer = value as Partial<Record<keyof TokenAnswer, unknown>> | null
  const { access_token, token_type, expires_in, scope } = answer ?? {}
  const isToken =
    typeof access_token === 'string' &&
    /^[\x21-\x7E]{1,8192}$/.test(access_token) &&
    token_type === 'DPoP' &&
    typeof expires_in === 'number' &&
    Number.isFinite(expires_in) &&
    typeof scope === 'string'
  if (!isToken) throw new ClientError('service-answer', { expected: 'a token bound to the key' })
  return { access_token, token_type, expires_in, scope }
}
