import { JoseError } from '../jose/error.ts'
import { parseJws, verifyJws, type ParsedJws } from '../jose/jws.ts'
import type { TokenVerificationKey } from '../token/access-token.ts'
import { StatusError } from './error.ts'
import { parseStatusList, type EncodedStatusList, type StatusList } from './status-list.ts'

/** `typ` of a status list token, and its media type below `application/`. */
export const statusListType = 'statuslist+jwt'

const longestToken = 8 * 1024 * 1024
const skewSeconds = 60

/** The claims of a status list token; times are NumericDate seconds. */
export interface StatusListClaims {
  /** The URI under which it is fetched. */
  readonly sub: string
  readonly iat: number
  readonly exp: number
  /** Seconds for which it may be kept. */
  readonly ttl: number
  readonly status_list: EncodedStatusList
}

/** What a credential says of its own place: the member `status` (draft-ietf-oauth-status-list-21 §6.2). */
export interface StatusReference {
  readonly idx: number
  readonly uri: string
}

/** A list that was verified. */
export interface VerifiedStatusList {
  readonly list: StatusList
  /** Unix milliseconds. */
  readonly issuedAt: number
  readonly expiresAt: number
  readonly ttlSeconds: number | undefined
}

/**
 * Verifies a status list token for the URI that a credential names.
 *
 * @throws StatusError `status-list-malformed`, `status-list-signature`, `status-list-subject`, `status-list-expired`
 * @see draft-ietf-oauth-status-list-21 §5.1, §8.3
 */
export function verifyStatusListToken(
  token: string,
  expected: {
    readonly uri: string
    readonly keys: readonly TokenVerificationKey[]
    /** Unix milliseconds. */
    readonly now: number
  },
): VerifiedStatusList {
  const { sub, iat, exp, ttl, status_list: list } = verifySignature(token, expected.keys).payload
  if (sub !== expected.uri) throw new StatusError('status-list-subject', { expected: expected.uri })
  if (!isCount(iat) || !isCount(exp) || !(ttl === undefined || isCount(ttl)))
    throw new StatusError('status-list-malformed', { expected: 'iat, exp and ttl in seconds' })
  const seconds = expected.now / 1000
  if (exp <= seconds || iat > seconds + skewSeconds) throw new StatusError('status-list-expired')
  return {
    list: parseStatusList(list),
    issuedAt: iat * 1000,
    expiresAt: exp * 1000,
    ttlSeconds: ttl,
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function verifySignature(token: string, keys: readonly TokenVerificationKey[]): ParsedJws {
  try {
    const jws = parseJws(token, longestToken)
    if (jws.header['typ'] !== statusListType)
      throw new StatusError('status-list-malformed', { expected: `typ ${statusListType}` })
    const row = keys.find(({ kid }) => kid === jws.header['kid'])
    if (row === undefined) throw new StatusError('status-list-signature')
    verifyJws(jws, row.key, row.algorithm)
    return jws
  } catch (cause) {
    if (!(cause instanceof JoseError)) throw cause
    const code = cause.code === 'jws-malformed' ? 'status-list-malformed' : 'status-list-signature'
    throw new StatusError(code, { cause })
  }
}

/**
 * The place that a credential names; undefined where it names none.
 *
 * @param status the member `status` of its claims
 * @throws StatusError `status-list-malformed` for one that cannot be read
 */
export function parseStatusReference(status: unknown): StatusReference | undefined {
  if (status === undefined) return undefined
  const { status_list: reference } = (status ?? {}) as { readonly status_list?: unknown }
  const { idx, uri } = (reference ?? {}) as { readonly idx?: unknown; readonly uri?: unknown }
  if (!isCount(idx) || typeof uri !== 'string')
    throw new StatusError('status-list-malformed', { expected: 'status_list with idx and uri' })
  return { idx, uri }
}
