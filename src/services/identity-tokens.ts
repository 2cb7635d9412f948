import { parsePublicJwk } from '../core/jose/jwk.ts'
import { jwsAlgorithmOf } from '../core/jose/algorithm.ts'
import type { HolderClaims } from '../core/token/access-token.ts'
import type { ClientRecord } from '../ports/records.ts'
import { auditEntry, type AuditType } from './audit-entry.ts'
import { authorize } from './authorization.ts'
import { ServiceError } from './error.ts'
import { holderClaims } from './holder-claims.ts'
import { clientId, clientSpiffeId, createId } from './naming.ts'
import { explainRevocation } from './explain-revocation.ts'
import type { Service } from './service.ts'
import { signToken } from './signed-token.ts'

/** A statement about its holder that is no access token. */
export interface IdentityToken {
  readonly token: string
  /** Unix milliseconds. */
  readonly expiresAt: number
}

/** Whom a statement is about, and from where it asks. */
export interface IdentityCaller {
  readonly client: ClientRecord
  /** Of the connection. */
  readonly sourceAddress?: string | undefined
}

/** A host or agent; operators have no attested key. */
type Workload = Exclude<ClientRecord, { readonly kind: 'operator' }>

/**
 * A JWT-SVID for one audience. Nothing binds it to the key, so it lives as briefly as an access token, and only for an
 * audience that the class names, or this issuer.
 *
 * @throws ServiceError `caller-not-permitted`, `audience-not-permitted`, `attestation-expired`, and for the revoked
 * @see JWT-SVID §2, §3
 */
export async function issueJwtSvid(
  service: Service,
  { client, sourceAddress }: IdentityCaller,
  audience: string,
): Promise<IdentityToken> {
  const workload = requireWorkload(client)
  const own = service.settings.issuer
  const allowed = workload.kind === 'agent' ? [...workload.agentClass.audiences, own] : [own]
  if (!allowed.includes(audience))
    throw new ServiceError('audience-not-permitted', {
      expected: allowed.join(' '),
      found: audience,
    })
  const claims = { sub: clientSpiffeId(service, client), aud: [audience] }
  const limit = service.settings.tokenMaxLifetimeSeconds
  return await issue(service, workload, {
    typ: 'JWT',
    type: 'jwt-svid.issued',
    claims,
    limit,
    audience,
    sourceAddress,
  })
}

/**
 * A WIT-SVID: bound to the attested key, for no audience, and without `iss`, since ours can be discovered.
 *
 * @throws ServiceError `caller-not-permitted`, `attestation-expired`, and for the revoked
 * @see WIT-SVID; draft-ietf-wimse-workload-creds-03 §3.1
 */
export async function issueWitSvid(
  service: Service,
  { client, sourceAddress }: IdentityCaller,
): Promise<IdentityToken> {
  const workload = requireWorkload(client)
  const claims = {
    sub: clientSpiffeId(service, client),
    cnf: confirmationOf(workload),
    assay: identityClaims(workload),
  }
  const limit = service.settings.certificateLifetimeSeconds
  return await issue(service, workload, {
    typ: 'wit+jwt',
    type: 'wit-svid.issued',
    claims,
    limit,
    sourceAddress,
  })
}

/**
 * A client attestation, by which the holder of the attested key authenticates to any authorization server that trusts
 * this one as attester.
 *
 * @param name the client_id there: the caller's SPIFFE ID, or one that its class may use
 * @throws ServiceError `caller-not-permitted`, `client-id-not-permitted`, `attestation-expired`, and for the revoked
 * @see draft-ietf-oauth-attestation-based-client-auth-10 §4
 */
export async function issueClientAttestation(
  service: Service,
  { client, sourceAddress }: IdentityCaller,
  name: string,
): Promise<IdentityToken> {
  const workload = requireWorkload(client)
  const own = clientSpiffeId(service, client)
  const allowed = workload.kind === 'agent' ? [own, ...workload.agentClass.clientIds] : [own]
  if (!allowed.includes(name))
    throw new ServiceError('client-id-not-permitted', { expected: allowed.join(' '), found: name })
  const { issuer, certificateLifetimeSeconds: limit } = service.settings
  const claims = {
    iss: issuer,
    sub: name,
    cnf: confirmationOf(workload),
    assay: identityClaims(workload),
  }
  return await issue(service, workload, {
    typ: 'oauth-client-attestation+jwt',
    type: 'client-attestation.issued',
    claims,
    limit,
    sourceAddress,
  })
}

function requireWorkload(client: ClientRecord): Workload {
  if (client.kind === 'operator')
    throw new ServiceError('caller-not-permitted', {
      expected: 'a host or agent',
      found: 'operator',
    })
  return client
}

/** The public key with its algorithm, as WIT-SVID asks (RFC 7800 §3.2). */
function confirmationOf(client: Workload): { jwk: Record<string, unknown> } {
  const jwk = parsePublicJwk(JSON.parse(client.key.jwk))
  return { jwk: { ...jwk, alg: jwsAlgorithmOf[jwk.crv].name } }
}

/** A statement about identity outlives runs: it names none. */
function identityClaims(client: Workload): HolderClaims {
  const { run: _run, ...claims } = holderClaims(client, '')
  return claims
}

interface Statement {
  readonly typ: string
  readonly type: AuditType
  readonly claims: { readonly sub: string } & Readonly<Record<string, unknown>>
  /** Seconds. */
  readonly limit: number
  /** Whom it is for; what is for nobody in particular is asked of the policies as for this issuer. */
  readonly audience?: string
  readonly sourceAddress: string | undefined
}

/** Signed, and given to nobody before it is on record that the holder was active and attested for as long. */
async function issue(
  service: Service,
  client: Workload,
  { typ, type, claims, limit, audience, sourceAddress }: Statement,
): Promise<IdentityToken> {
  const iat = Math.floor(service.clock.now() / 1000)
  const longest = Math.min(limit, Math.floor(client.host.attestationExpiresAt / 1000) - iat)
  if (longest < 1) throw new ServiceError('attestation-expired')
  const { lifetimeSeconds, record } = await authorize(service, {
    action: 'issueToken',
    principal: client,
    audience: audience ?? service.settings.issuer,
    scopes: [],
    lifetimeSeconds: longest,
    sourceAddress,
  })
  const exp = iat + lifetimeSeconds
  const jti = createId(service)
  const token = await signToken(service, typ, { ...claims, iat, exp, jti })
  const id = clientSpiffeId(service, client)
  const { sub } = claims
  const aud = audience === undefined ? {} : { aud: audience }
  const detail = { sub, exp, ...aud, authorization: record }
  const answer = await service.store.clients.act({
    client: { kind: client.kind, id: clientId(client), jkt: client.key.jkt },
    replayKeys: [],
    attestedUntil: exp * 1000,
    entry: auditEntry(service, type, id, jti, detail),
  })
  if (answer === 'attestation-expired') throw new ServiceError('attestation-expired')
  if (answer !== 'done') throw await explainRevocation(service, client.key.jkt)
  return { token, expiresAt: exp * 1000 }
}
