import { createHash } from 'node:crypto'
import type { AccessTokenClaims } from '../core/token/access-token.ts'
import { TokenError } from '../core/token/error.ts'
import { createNonce, isNonce } from '../core/token/nonce.ts'
import { ProofKeys } from '../core/token/proof-key.ts'
import type { AssuranceLevel } from '../core/verifier/assurance.ts'
import { createFetchDocument, type FetchDocument } from './issuer-document.ts'
import { createKeySet, type KeySet } from './key-set.ts'
import { createReplayMemory, type ReplayMemory } from './replay-memory.ts'
import { createStatusLists, type StatusLists } from './status-lists.ts'
import { verifyRequest, type BoundRequest, type ResourceRequest } from './verify-request.ts'

export { protect, type ProtectedContext } from './middleware.ts'
export { refusalOf, type Refusal } from './refusal.ts'
export { parseTrustBundle, type ParsedTrustBundle } from '../core/spiffe/trust-bundle.ts'
export { verifyFederatedJwtSvid } from '../core/spiffe/federated-jwt-svid.ts'
export { verifyX509Svid } from '../core/spiffe/x509-svid.ts'
export type { AccessTokenClaims, AssuranceLevel, FetchDocument, ReplayMemory, ResourceRequest }

/** Whom a relying party trusts, and for what. */
export interface VerifierOptions {
  /** The Assay service whose tokens count: its URL, as its metadata names it. */
  readonly issuer: string
  /** This resource's own name, as tokens name it: its URL. */
  readonly audience: string
  /** PEM of the service's root (`assay ca show`); the machine's own roots where it is left out. */
  readonly authority?: string
  /** The least that the caller's hardware must vouch for; operators have no hardware claim and do not pass a floor. */
  readonly assuranceFloor?: AssuranceLevel
  /**
   * Whether a token must be known not to be revoked. `required` (the default): without a fresh status list nobody is let
   * in. `when-available`: a list that cannot be fetched lets the token run out its minutes. `off`: not asked.
   */
  readonly status?: 'required' | 'when-available' | 'off'
  /** How old a status list may be before it is fetched again, in seconds (5), whatever the list allows. */
  readonly statusMaxAgeSeconds?: number
  /** How old keys may be before they are fetched again, in seconds (3600). An unknown key is asked for at once. */
  readonly keysMaxAgeSeconds?: number
  /** 32 random bytes shared by all processes of the resource: with them, proofs must carry a nonce (RFC 9449 §9). */
  readonly nonceSecret?: Uint8Array
  readonly replayMemory?: ReplayMemory
  readonly fetchDocument?: FetchDocument
  /** Unix milliseconds. */
  readonly now?: () => number
}

/** Verifies requests to one resource. */
export interface ResourceVerifier {
  readonly options: VerifierOptions
  /**
   * Lets a request in: the claims of its token; or says why not. The proof counts once.
   *
   * @throws TokenError `token-…`, `dpop-…`; ResourceError
   */
  verify(
    request: ResourceRequest,
    demands?: { readonly scopes?: readonly string[] },
  ): Promise<AccessTokenClaims>
  /** The nonce to answer with (`DPoP-Nonce`); undefined where none is asked for. */
  nonce(): string | undefined
  /** Fetches keys now, so that the first request does not wait. */
  prepare(): Promise<void>
}

const proofKeyCapacity = 10_000

/**
 * Makes a verifier for relying parties: token, proof or certificate, audience, scope, assurance, replay, status. After
 * keys and status list have been fetched it works without the issuer for as long as the options let them be old.
 *
 * @throws TypeError for an issuer or audience that is no https URL, or a secret of another length
 * @see RFC 9068 §4, RFC 9449 §7, RFC 8705 §3, draft-ietf-oauth-status-list-21 §8.3
 */
export function createVerifier(options: VerifierOptions): ResourceVerifier {
  checkOptions(options)
  const fetchDocument = options.fetchDocument ?? createFetchDocument(options.authority)
  const keys = createKeySet(
    options.issuer,
    fetchDocument,
    (options.keysMaxAgeSeconds ?? 3600) * 1000,
  )
  const parts: Parts = {
    options,
    keys,
    statusLists: createStatusLists(
      options.issuer,
      fetchDocument,
      keys,
      (options.statusMaxAgeSeconds ?? 5) * 1000,
    ),
    replayMemory: options.replayMemory ?? createReplayMemory(),
    proofKeys: new ProofKeys(proofKeyCapacity),
    now: options.now ?? Date.now,
  }
  const { nonceSecret } = options
  return {
    options,
    verify: async (request, demands = {}) => await admit(parts, request, demands.scopes ?? []),
    nonce: () => (nonceSecret === undefined ? undefined : createNonce(nonceSecret, parts.now())),
    prepare: async () => void (await keys.current(parts.now())),
  }
}

interface Parts {
  readonly options: VerifierOptions
  readonly keys: KeySet
  readonly statusLists: StatusLists
  readonly replayMemory: ReplayMemory
  readonly proofKeys: ProofKeys
  readonly now: () => number
}

function checkOptions({ issuer, audience, nonceSecret }: VerifierOptions): void {
  for (const [name, url] of Object.entries({ issuer, audience }))
    if (!URL.canParse(url) || new URL(url).protocol !== 'https:' || url.endsWith('/'))
      throw new TypeError(`${name} is an https URL without a slash at its end`)
  if (nonceSecret !== undefined && nonceSecret.length !== 32)
    throw new TypeError('nonceSecret is 32 bytes')
}

async function admit(
  parts: Parts,
  request: ResourceRequest,
  scopes: readonly string[],
): Promise<AccessTokenClaims> {
  const bound = await verifyWithKeys(parts, request, scopes)
  await requireGoodStatus(parts, bound.claims)
  // The last thing before the act: a request that is refused for anything else has not used its proof up.
  const { replay } = bound
  if (replay !== undefined) {
    const isFirst = await parts.replayMemory.spend(replay.key, replay.expiresAt, parts.now())
    if (!isFirst) throw new TokenError('dpop-replayed')
  }
  return bound.claims
}

async function verifyWithKeys(
  parts: Parts,
  request: ResourceRequest,
  scopes: readonly string[],
): Promise<BoundRequest> {
  const now = parts.now()
  const known = await parts.keys.current(now)
  const expected = { ...expectationsOf(parts, now), scopes }
  const thumbprint = thumbprintOf(request)
  try {
    return verifyRequest(request, thumbprint, { ...expected, keys: known })
  } catch (cause) {
    if (!(cause instanceof TokenError) || cause.code !== 'token-unknown-key') throw cause
    const newest = await parts.keys.refresh(now)
    if (newest === known) throw cause
    return verifyRequest(request, thumbprint, { ...expected, keys: newest })
  }
}

function expectationsOf({ options, proofKeys }: Parts, now: number) {
  const { issuer, audience, assuranceFloor, nonceSecret } = options
  return {
    issuer,
    audience,
    proofKeys,
    assuranceFloor,
    isNonce:
      nonceSecret === undefined
        ? undefined
        : (nonce: string): boolean => isNonce(nonceSecret, nonce, now),
    now,
  }
}

function thumbprintOf({
  clientCertificate,
  certificateThumbprint,
}: ResourceRequest): string | undefined {
  if (clientCertificate === undefined) return certificateThumbprint
  return createHash('sha256').update(clientCertificate).digest('base64url')
}

async function requireGoodStatus(parts: Parts, claims: AccessTokenClaims): Promise<void> {
  const { status = 'required' } = parts.options
  if (status !== 'off')
    await parts.statusLists.requireValid(claims, parts.now(), { isRequired: status === 'required' })
}
