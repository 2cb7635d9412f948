import { StatusError } from '../core/status/error.ts'
import { statusTypes } from '../core/status/status-list.ts'
import {
  parseStatusReference,
  statusListType,
  verifyStatusListToken,
  type StatusReference,
  type VerifiedStatusList,
} from '../core/status/status-list-token.ts'
import type { AccessTokenClaims } from '../core/token/access-token.ts'
import { ResourceError } from './error.ts'
import type { FetchDocument } from './issuer-document.ts'
import type { KeySet } from './key-set.ts'

/** Status lists of one issuer, kept for as long as they and the options allow. */
export interface StatusLists {
  /** @throws ResourceError `token-revoked`, and where the status is required `status-unknown` */
  requireValid(
    claims: AccessTokenClaims & { readonly status?: unknown },
    now: number,
    options: { readonly isRequired: boolean },
  ): Promise<void>
}

interface Kept {
  readonly verified: VerifiedStatusList
  readonly fetchedAt: number
}

const mostLists = 1_000

/** @param maxAgeMs how long a list is kept at most, whatever its `ttl` */
export function createStatusLists(
  issuer: string,
  fetchDocument: FetchDocument,
  keys: KeySet,
  maxAgeMs: number,
): StatusLists {
  const kept = new Map<string, Kept>()
  const asking = new Map<string, Promise<VerifiedStatusList>>()
  const fetchList = async (uri: string, now: number): Promise<VerifiedStatusList> => {
    const verified = await fetchVerified(uri, fetchDocument, keys, now)
    if (kept.size >= mostLists) kept.clear()
    kept.set(uri, { verified, fetchedAt: now })
    return verified
  }
  /** Many requests of one moment wait for one answer. */
  const fetchOnce = async (uri: string, now: number): Promise<VerifiedStatusList> => {
    const under = asking.get(uri) ?? fetchList(uri, now).finally(() => asking.delete(uri))
    asking.set(uri, under)
    return await under
  }
  /** Nothing is un-revoked: a list that is too old to let anybody in is new enough to keep somebody out. */
  const requireNotKnownRevoked = (claims: { readonly status?: unknown }): void => {
    const { idx, uri } = referenceOf(claims, issuer)
    const known = kept.get(uri)?.verified.list
    if (known !== undefined && known.at(idx) !== statusTypes.valid)
      throw new ResourceError('token-revoked')
  }
  return {
    requireValid: async (claims, now, { isRequired }) => {
      try {
        const { idx, uri } = referenceOf(claims, issuer)
        const known = kept.get(uri)
        const list =
          known !== undefined && isFresh(known, now, maxAgeMs)
            ? known.verified
            : await fetchOnce(uri, now)
        if (list.list.at(idx) !== statusTypes.valid) throw new ResourceError('token-revoked')
      } catch (cause) {
        const isSilence = cause instanceof ResourceError && cause.code === 'issuer-unreachable'
        if (isSilence && !isRequired) return requireNotKnownRevoked(claims)
        throw asUnknown(cause)
      }
    },
  }
}

/** The issuer's own list alone: what a token names elsewhere is not fetched. */
function referenceOf({ status }: { readonly status?: unknown }, issuer: string): StatusReference {
  const reference = parseStatusReference(status)
  if (reference === undefined)
    throw new ResourceError('status-unknown', { expected: 'a token that names a status list' })
  if (!reference.uri.startsWith(`${issuer}/`))
    throw new ResourceError('status-unknown', { expected: `a status list below ${issuer}` })
  return reference
}

function isFresh({ verified, fetchedAt }: Kept, now: number, maxAgeMs: number): boolean {
  const ttlMs = verified.ttlSeconds === undefined ? maxAgeMs : verified.ttlSeconds * 1000
  return now < verified.expiresAt && now - fetchedAt < Math.min(maxAgeMs, ttlMs)
}

async function fetchVerified(
  uri: string,
  fetchDocument: FetchDocument,
  keys: KeySet,
  now: number,
): Promise<VerifiedStatusList> {
  const token = await fetchDocument(uri, `application/${statusListType}`)
  const known = await keys.current(now)
  try {
    return verifyStatusListToken(token, { uri, keys: known, now })
  } catch (cause) {
    if (!(cause instanceof StatusError) || cause.code !== 'status-list-signature') throw cause
    return verifyStatusListToken(token, { uri, keys: await keys.refresh(now), now })
  }
}

function asUnknown(cause: unknown): unknown {
  if (cause instanceof StatusError || isSilent(cause))
    return new ResourceError('status-unknown', {
      found: (cause as StatusError | ResourceError).code,
      cause,
    })
  return cause
}

function isSilent(cause: unknown): boolean {
  return cause instanceof ResourceError && cause.code.startsWith('issuer-')
}
