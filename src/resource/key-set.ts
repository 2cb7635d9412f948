import { jwsAlgorithmOf } from '../core/jose/algorithm.ts'
import { JoseError } from '../core/jose/error.ts'
import { importJwk, parsePublicJwk } from '../core/jose/jwk.ts'
import type { TokenVerificationKey } from '../core/token/access-token.ts'
import { ResourceError } from './error.ts'
import type { FetchDocument } from './issuer-document.ts'

/** How long the issuer is not asked again, whatever is presented: unknown keys cost it nothing. */
const pauseMs = 10_000

/** The keys of one issuer, fetched by its metadata and kept. */
export interface KeySet {
  /** Those that are known now; fetched first where none are. */
  current(now: number): Promise<readonly TokenVerificationKey[]>
  /** Those of the issuer at this moment; the known ones where it was asked a moment ago. */
  refresh(now: number): Promise<readonly TokenVerificationKey[]>
}

/**
 * @param issuer as the metadata must name it, letter by letter (RFC 8414 §3.3)
 * @param maxAgeMs after which known keys are fetched again before they count
 */
export function createKeySet(
  issuer: string,
  fetchDocument: FetchDocument,
  maxAgeMs: number,
): KeySet {
  let known: readonly TokenVerificationKey[] = []
  let fetchedAt = -Infinity
  let asking: Promise<readonly TokenVerificationKey[]> | undefined
  let askedAt = -Infinity
  let failure: unknown = new ResourceError('issuer-unreachable', { found: issuer })
  const ask = async (now: number): Promise<readonly TokenVerificationKey[]> => {
    askedAt = now
    const keys = await fetchKeys(issuer, fetchDocument).catch((cause: unknown) => {
      failure = cause
      throw cause
    })
    fetchedAt = now
    return (known = keys)
  }
  const refresh: KeySet['refresh'] = async now => {
    if (asking !== undefined) return await asking
    if (now - askedAt < pauseMs && known.length > 0) {
      if (now - fetchedAt < maxAgeMs) return known
      throw failure
    }
    asking = ask(now)
    try {
      return await asking
    } finally {
      asking = undefined
    }
  }
  return {
    refresh,
    current: async now => (now - fetchedAt < maxAgeMs ? known : await refresh(now)),
  }
}

async function fetchKeys(
  issuer: string,
  fetchDocument: FetchDocument,
): Promise<readonly TokenVerificationKey[]> {
  const metadata = await fetchJson(
    `${issuer}/.well-known/oauth-authorization-server`,
    fetchDocument,
  )
  if (metadata['issuer'] !== issuer)
    throw new ResourceError('issuer-answer', { expected: issuer, found: 'another issuer' })
  const location = metadata['jwks_uri']
  if (typeof location !== 'string' || !location.startsWith(`${issuer}/`))
    throw new ResourceError('issuer-answer', { expected: `a jwks_uri below ${issuer}` })
  const { keys } = await fetchJson(location, fetchDocument)
  if (!Array.isArray(keys)) throw new ResourceError('issuer-answer', { expected: 'a JWK set' })
  return keys.flatMap(readKey)
}

async function fetchJson(
  url: string,
  fetchDocument: FetchDocument,
): Promise<Record<string, unknown>> {
  const text = await fetchDocument(url, 'application/json')
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (cause) {
    throw new ResourceError('issuer-answer', { expected: 'JSON', cause })
  }
  throw new ResourceError('issuer-answer', { expected: 'a JSON object' })
}

/** RFC 7517 §5: a key that is not understood is passed over. */
function readKey(value: unknown): TokenVerificationKey[] {
  const { kid } = (value ?? {}) as { readonly kid?: unknown }
  if (typeof kid !== 'string') return []
  try {
    const jwk = parsePublicJwk(value)
    return [{ kid, key: importJwk(jwk), algorithm: jwsAlgorithmOf[jwk.crv] }]
  } catch (cause) {
    if (cause instanceof JoseError) return []
    throw cause
  }
}
