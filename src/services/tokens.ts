import type { DecisionRecord } from '../core/authorization/replay.ts'
import type { AccessTokenClaims } from '../core/token/access-token.ts'
import type { AuthorizationDetail } from '../core/token/authorization-details.ts'
import { actorsOf, type DelegationClaims } from '../core/token/delegation.ts'
import { CodedError } from '../core/coded-error.ts'
import { longestJws } from '../core/jose/jws.ts'
import { parseSpiffeId } from '../core/spiffe/spiffe-id.ts'
import { TokenError } from '../core/token/error.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import type { AuditEntry } from '../ports/records.ts'
import { auditEntry } from './audit-entry.ts'
import { authorize } from './authorization.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import {
  authenticateClient,
  type AuthenticatedClient,
  type ClientCredentials,
} from './client-authentication.ts'
import { ServiceError } from './error.ts'
import { explainApproval, usesOf, type Approval } from './just-in-time.ts'
import { holderClaims } from './holder-claims.ts'
import { clientId, createId } from './naming.ts'
import { asOAuthError, refuseCaller } from './oauth-reason.ts'
import { explainRevocation } from './explain-revocation.ts'
import type { Service } from './service.ts'
import { accessTokenType, refuseToken } from './token-exchange-grant.ts'
import { signToken } from './signed-token.ts'
import { statusPlacesOf, type AllottedPlace } from './status-places.ts'
import { grantTypeOf, type Delegation, type Grant } from './token-grant.ts'

/** The token endpoint's answer (RFC 6749 §5.1, RFC 9449 §5). */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'DPoP' | 'Bearer'
  readonly expires_in: number
  readonly scope: string
  /** RFC 8693 §2.2.1: of a token in exchange for another. */
  readonly issued_token_type?: typeof accessTokenType
  /** RFC 9396 §7. */
  readonly authorization_details?: readonly AuthorizationDetail[]
}

/** With whom the caller lets act with the token. */
type WantedGrant = Grant & Pick<DelegationClaims, 'may_act'>

/**
 * Issues an access token to a client that proved its attested key with this request.
 *
 * @throws OAuthError as RFC 6749 §5.2, RFC 8707 §2 and RFC 9449 §5 say
 */
export async function issueToken(
  service: Service,
  credentials: ClientCredentials,
): Promise<TokenResponse> {
  const grantType = grantTypeOf(credentials)
  const caller = await authenticateClient(service, credentials)
  const asked = await grantType(service, caller, credentials)
  const named = { ...asked, ...readMayAct(credentials) }
  const { grant, records, approvals } = await authorizeGrant(service, caller, credentials, named)
  const place = await statusPlacesOf(service).allot()
  const claims = boundByApprovals(prepareAccessToken(service, caller, grant, place), approvals)
  const token = await signToken(service, 'at+jwt', claims)
  requireReadable(token)
  await recordToken(service, caller, {
    claims,
    records,
    approvals,
    place,
    delegation: grant.delegation,
  })
  const { authorization_details: details } = claims
  return {
    access_token: token,
    token_type: 'jkt' in caller.confirmation ? 'DPoP' : 'Bearer',
    expires_in: claims.exp - claims.iat,
    scope: claims.scope,
    ...(grant.delegation === undefined ? {} : { issued_token_type: accessTokenType }),
    ...(details === undefined ? {} : { authorization_details: details }),
  }
}

/** A token that no verifier here would read is none. Throws OAuthError. */
function requireReadable(token: string): void {
  if (token.length <= longestJws) return
  const error = 'invalid_authorization_details'
  throw new OAuthError(
    error,
    `With all that was asked for the token is longer than ${longestJws} characters.`,
  )
}

/**
 * The policies on each audience: every one must permit the token, and it has what all of them leave.
 *
 * @throws ServiceError `authorization-…`
 */
async function authorizeGrant(
  service: Service,
  { client, replayKeys, replayed }: AuthenticatedClient,
  { sourceAddress }: ClientCredentials,
  asked: WantedGrant,
): Promise<{
  grant: WantedGrant
  records: readonly DecisionRecord[]
  approvals: readonly Approval[]
}> {
  let [grant, records, approvals] = [asked, [] as DecisionRecord[], [] as Approval[]]
  const hop = hopOf(asked)
  const spending = { client, replayKeys, replayed }
  for (const audience of asked.audiences) {
    const { scopes, lifetimeSeconds, details } = grant
    const authorized = await authorize(service, {
      ...hop,
      principal: client,
      audience,
      scopes,
      lifetimeSeconds,
      details,
      sourceAddress,
      spending,
      token: { audiences: asked.audiences, mayAct: asked.may_act?.sub },
    }).catch(refuseCaller)
    records = [...records, authorized.record]
    if (authorized.approval !== undefined) approvals = [...approvals, authorized.approval]
    grant = { ...grant, scopes: authorized.scopes, lifetimeSeconds: authorized.lifetimeSeconds }
  }
  return { grant, records, approvals }
}

/** Each hop of a delegation is an action of its own, and the policies see who it is for and through whom. */
function hopOf({ delegation }: Grant): Pick<AuthorizationRequest, 'action' | 'delegation' | 'txn'> {
  if (delegation === undefined) return { action: 'issueToken' }
  const { subject: initiator, txn } = delegation
  return { action: 'exchangeToken', delegation: { initiator, actors: actorsOf(delegation) }, txn }
}

function prepareAccessToken(
  service: Service,
  caller: AuthenticatedClient,
  grant: WantedGrant,
  { index: idx, uri }: AllottedPlace,
): AccessTokenClaims {
  const iat = Math.floor(service.clock.now() / 1000)
  return {
    iss: service.settings.issuer,
    sub: grant.delegation?.subject ?? caller.id,
    aud: audienceClaim(grant.audiences),
    client_id: caller.id,
    iat,
    exp: iat + grant.lifetimeSeconds,
    jti: createId(service),
    txn: grant.delegation?.txn ?? createId(service),
    scope: grant.scopes.join(' '),
    cnf: caller.confirmation,
    assay: holderClaims(caller.client, createId(service)),
    ...(grant.details === undefined ? {} : { authorization_details: grant.details }),
    status: { status_list: { idx, uri } },
    ...delegationClaims(grant),
    ...(grant.may_act === undefined ? {} : { may_act: grant.may_act }),
  }
}

/** A token outlives no approval that it rests on, however long it took to make. Throws ServiceError. */
function boundByApprovals(
  claims: AccessTokenClaims,
  approvals: readonly Approval[],
): AccessTokenClaims {
  const exp = Math.min(claims.exp, ...approvals.map(({ endsAt }) => Math.floor(endsAt / 1000)))
  if (exp <= claims.iat) throw new ServiceError('authorization-approval-over')
  return { ...claims, exp }
}

function delegationClaims({ delegation }: Grant): DelegationClaims {
  if (delegation === undefined) return {}
  const { act, parents } = delegation
  return { act, parents }
}

/**
 * Whom the caller lets act for the subject of this token: its own word, by the key that proves this request.
 *
 * @throws OAuthError `invalid_request`
 * @see RFC 8693 §4.4
 */
function readMayAct({ form }: ClientCredentials): Pick<DelegationClaims, 'may_act'> {
  const { may_act: sub } = form
  if (sub === undefined) return {}
  try {
    parseSpiffeId(sub)
    return { may_act: { sub } }
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new OAuthError('invalid_request', 'The may_act here: the SPIFFE ID of an agent.', cause)
  }
}

/** RFC 7519 §4.1.3: one audience is written as a text. */
function audienceClaim(audiences: readonly string[]): string | readonly string[] {
  const [first = '', ...others] = audiences
  return others.length === 0 ? first : audiences
}

/** A token that was signed and is not given away yet. */
interface Prepared {
  readonly claims: AccessTokenClaims
  readonly records: readonly DecisionRecord[]
  readonly approvals: readonly Approval[]
  readonly place: AllottedPlace
  readonly delegation: Delegation | undefined
}

/** The token exists for nobody until this is durable: proof spent, client still active, entry in the log. */
async function recordToken(
  service: Service,
  caller: AuthenticatedClient,
  { claims, records, approvals, place, delegation }: Prepared,
): Promise<void> {
  const { client, replayKeys } = caller
  const { jti, cnf } = claims
  const type = delegation === undefined ? 'token.issued' : 'token.exchanged'
  const entry = auditEntry(service, type, caller.id, jti, {
    aud: claims.aud,
    scope: claims.scope,
    exp: claims.exp,
    cnf: claims.cnf,
    authorization: records.length === 1 ? records[0] : records,
    txn: claims.txn,
    ...(claims.may_act === undefined ? {} : { may_act: claims.may_act.sub }),
    ...(claims.assay.run === undefined ? {} : { run: claims.assay.run }),
    ...(claims.authorization_details === undefined
      ? {}
      : { authorization_details: claims.authorization_details }),
    ...(client.kind === 'operator' ? {} : { attestation: client.host.attestationId }),
    ...chainDetail(claims),
  })
  const answer = await service.store.clients.act({
    client: { kind: client.kind, id: clientId(client), jkt: client.key.jkt },
    replayKeys,
    ...(client.kind === 'operator' ? {} : { attestedUntil: claims.exp * 1000 }),
    entry,
    issued: {
      list: place.list,
      index: place.index,
      jti,
      binding: 'jkt' in cnf ? cnf.jkt : cnf['x5t#S256'],
      expiresAt: claims.exp * 1000,
    },
    ...('jkt' in cnf ? {} : { x5t: cnf['x5t#S256'] }),
    ...(delegation === undefined ? {} : { parents: delegation.links }),
    approvals: usesOf(service, approvals, claims),
  })
  if (answer === 'done') return
  if (answer === 'replayed') throw asOAuthError(new TokenError(caller.replayed))
  if (answer === 'token-revoked') throw refuseToken(new TokenError('token-inactive'))
  if (answer === 'approval-over') throw await explainApproval(service, approvals)
  if (answer === 'attestation-expired') throw asOAuthError(new ServiceError('attestation-expired'))
  if (answer === 'certificate-revoked') throw asOAuthError(new ServiceError('certificate-unknown'))
  throw asOAuthError(await explainRevocation(service, client.key.jkt))
}

/** Who asked for what through whom: actors newest first, and the ids of the tokens behind this one. */
function chainDetail(claims: AccessTokenClaims): AuditEntry['detail'] {
  const { sub: subject, client_id: actor, act, parents = [] } = claims
  if (act === undefined) return {}
  return { subject, actor, chain: actorsOf({ act }), parents: parents.map(({ jti }) => jti) }
}
