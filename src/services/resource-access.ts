import { createHash } from 'node:crypto'
import {
  verifyAccessToken,
  type AccessTokenClaims,
  type VerifiedAccessToken,
} from '../core/token/access-token.ts'
import { verifyDpopProof } from '../core/token/dpop-proof.ts'
import { TokenError } from '../core/token/error.ts'
import type { ApiScope } from '../core/token/scope.ts'
import type { AuditEntry, ClientRecord } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { authorize, type Authorized } from './authorization.ts'
import type { Spending } from './authorization-request.ts'
import { findCertificateHolder } from './certificate-holder.ts'
import { ServiceError } from './error.ts'
import { clientId } from './naming.ts'
import { explainRevocation } from './explain-revocation.ts'
import type { Service } from './service.ts'

/** What a request to the service's own API carries to show who sends it. */
export interface ResourceRequest {
  readonly method: string
  /** The URL without query, as the service names itself. */
  readonly url: string
  /** The whole `Authorization` header. */
  readonly authorization: string | undefined
  readonly dpop: string | undefined
  readonly certificateThumbprint: string | undefined
  /** Network address of the connection; policies may ask for it. */
  readonly sourceAddress?: string | undefined
}

/** The caller of one API request: its key or certificate was proven with the request itself. */
export interface Caller {
  readonly client: ClientRecord
  /** SPIFFE ID. */
  readonly id: string
  readonly claims: AccessTokenClaims
  /** Network address that it called from. */
  readonly sourceAddress: string | undefined
}

/** A request whose sender is proven. It is not let in before {@link admitRequest} has spent the proof. */
export interface ProvenRequest {
  readonly token: VerifiedAccessToken
  readonly client: ClientRecord
  readonly replayKeys: readonly ReplayKey[]
  /** What the call needs. */
  readonly scope: ApiScope
  readonly sourceAddress: string | undefined
}

interface ReplayKey {
  readonly key: string
  /** Unix milliseconds. */
  readonly expiresAt: number
}

/** What was verified, and by which keys: once one of these leaves, nothing of it counts. */
interface VerifiedTokens {
  readonly keys: Service['tokenKeys']['published']
  readonly byHash: Map<string, VerifiedAccessToken>
}

const verifiedTokens = new WeakMap<Service, VerifiedTokens>()
const rememberedTokens = 10_000

/**
 * Proves who sends a request to the service's own API: a token of this issuer for this audience with the scope, its
 * binding proven by this request. So much comes before its body is read, and changes nothing.
 *
 * @throws TokenError for what is wrong with token or proof; ServiceError for a client that was revoked
 * @see RFC 9449 §7.1, RFC 8705 §3, RFC 9068 §4
 */
export async function proveRequest(
  service: Service,
  scope: ApiScope,
  request: ResourceRequest,
): Promise<ProvenRequest> {
  const { scheme, token } = readAuthorization(request)
  const verified = verifyOwnToken(service, token)
  requireSchemeOf(verified, scheme)
  if (verified.claims.act !== undefined) throw new TokenError('delegation-own-api')
  const bound = await proveBinding(service, request, token, verified)
  verified.requireScope(scope)
  return { token: verified, ...bound, scope, sourceAddress: request.sourceAddress }
}

/**
 * Lets a proven request in: the proof spent, the token still in its time, and the client active at this moment. The
 * last thing before the act, so that whoever was revoked while its body was under way does nothing with it.
 *
 * @throws TokenError `token-expired`, `token-inactive`, `dpop-time`, `dpop-replayed`; ServiceError for a client that was revoked
 */
export async function admitRequest(service: Service, proven: ProvenRequest): Promise<Caller> {
  const { token, client, replayKeys, sourceAddress } = proven
  const now = service.clock.now()
  token.requireFresh(now)
  // A key of the past is not kept, so it could be spent again.
  if (replayKeys.some(({ expiresAt }) => expiresAt <= now)) throw new TokenError('dpop-time')
  const entry = await authorizeCall(service, proven)
  await spendProof(service, client, replayKeys, token.claims, entry)
  return { client, id: token.claims.sub, claims: token.claims, sourceAddress }
}

/**
 * The policies on a call by an operator, asked again with each. What may change something stands in the log before it is
 * let in; what only reads does not. Hosts and agents have a decision with each credential that they are issued.
 */
async function authorizeCall(
  service: Service,
  proven: ProvenRequest,
): Promise<AuditEntry | undefined> {
  const { token, client, scope } = proven
  if (client.kind !== 'operator') return undefined
  const { record } = await authorizeOperator(service, client, proven)
  if (scope.endsWith(':read') || scope === 'tokens:introspect') return undefined
  const id = token.claims.sub
  return auditEntry(service, 'operator.authorized', id, id, { scope, authorization: record })
}

/** What the policies say of an operator's call, however it was authenticated. Throws ServiceError `authorization-…`. */
export async function authorizeOperator(
  service: Service,
  client: ClientRecord,
  {
    scope,
    sourceAddress,
    replayKeys,
    replayed = 'dpop-replayed',
  }: Pick<ProvenRequest, 'scope' | 'sourceAddress' | 'replayKeys'> &
    Partial<Pick<Spending, 'replayed'>>,
): Promise<Authorized> {
  return await authorize(service, {
    action: 'actAsOperator',
    principal: client,
    audience: service.settings.issuer,
    scopes: [scope],
    lifetimeSeconds: 0,
    sourceAddress,
    spending: { client, replayKeys, replayed },
  })
}

type Scheme = 'dpop' | 'bearer'

function readAuthorization(request: ResourceRequest): { scheme: Scheme; token: string } {
  const [name = '', token = '', ...rest] = (request.authorization ?? '').split(' ')
  const scheme = name.toLowerCase()
  if ((scheme !== 'dpop' && scheme !== 'bearer') || token === '' || rest.length > 0) {
    throw new TokenError('token-malformed', { expected: 'Authorization: DPoP <token>' })
  }
  if (scheme === 'dpop' && request.dpop === undefined) throw new TokenError('dpop-missing')
  return { scheme, token }
}

/** RFC 9449 §7.2: a token bound to a key is refused as a bearer token, whatever stands beside it. */
function requireSchemeOf(verified: VerifiedAccessToken, scheme: Scheme): void {
  const expected: Scheme = 'jkt' in verified.claims.cnf ? 'dpop' : 'bearer'
  if (scheme !== expected)
    throw new TokenError('token-unbound', { expected: `the scheme ${expected}`, found: scheme })
}

/** A token is verified once and remembered by its hash; its time is looked at with each use. */
function verifyOwnToken(service: Service, token: string): VerifiedAccessToken {
  const now = service.clock.now()
  const { issuer } = service.settings
  const keys = service.tokenKeys.published
  const remembered = rememberedBy(service, keys)
  const hash = createHash('sha256').update(token).digest('base64url')
  const known = remembered.get(hash)
  if (known !== undefined) {
    known.requireFresh(now)
    return known
  }
  const verified = verifyAccessToken(token, {
    issuer,
    audience: issuer,
    keys,
    now,
  })
  remembered.set(hash, verified)
  if (remembered.size > rememberedTokens) {
    const [oldest] = remembered.keys()
    if (oldest !== undefined) remembered.delete(oldest)
  }
  return verified
}

function rememberedBy(service: Service, keys: VerifiedTokens['keys']): VerifiedTokens['byHash'] {
  const known = verifiedTokens.get(service)
  if (known?.keys === keys) return known.byHash
  const byHash = new Map<string, VerifiedAccessToken>()
  verifiedTokens.set(service, { keys, byHash })
  return byHash
}

type Bound = Pick<ProvenRequest, 'client' | 'replayKeys'>

async function proveBinding(
  service: Service,
  request: ResourceRequest,
  token: string,
  verified: VerifiedAccessToken,
): Promise<Bound> {
  if ('jkt' in verified.claims.cnf) return proveByKey(service, request, token, verified)
  verified.requireCertificate(request.certificateThumbprint)
  const { client } = await findCertificateHolder(service, verified.claims.cnf['x5t#S256'])
  return { client, replayKeys: [] }
}

async function proveByKey(
  service: Service,
  request: ResourceRequest,
  token: string,
  verified: VerifiedAccessToken,
): Promise<Bound> {
  if (request.dpop === undefined)
    throw new TokenError('token-unbound', { expected: 'a DPoP proof' })
  const now = service.clock.now()
  const proof = verifyDpopProof(request.dpop, service.proofKeys, {
    method: request.method,
    url: request.url,
    now,
    accessToken: token,
  })
  verified.requireProofKey(proof.key.jkt)
  const client = await service.clients.find(proof.key.jkt, now)
  if (client === undefined) throw await explainRevocation(service, proof.key.jkt)
  return { client, replayKeys: [proof.replay] }
}

async function spendProof(
  service: Service,
  client: ClientRecord,
  replayKeys: readonly ReplayKey[],
  { jti: tokenId, cnf }: AccessTokenClaims,
  entry: AuditEntry | undefined,
): Promise<void> {
  const answer = await service.store.clients.act({
    client: { kind: client.kind, id: clientId(client), jkt: client.key.jkt },
    replayKeys,
    tokenId,
    ...('jkt' in cnf ? {} : { x5t: cnf['x5t#S256'] }),
    ...(entry === undefined ? {} : { entry }),
  })
  if (answer === 'token-revoked') throw new TokenError('token-inactive')
  if (answer === 'replayed') throw new TokenError('dpop-replayed')
  if (answer === 'certificate-revoked') throw new ServiceError('certificate-unknown')
  if (answer !== 'done') throw await explainRevocation(service, client.key.jkt)
}
