import { audiencesOf, type AccessTokenClaims } from '../core/token/access-token.ts'
import {
  areNarrower,
  grantDetails,
  type AuthorizationDetail,
} from '../core/token/authorization-details.ts'
import { actorsOf, maxActors, mayAct, nestActor } from '../core/token/delegation.ts'
import { TokenError } from '../core/token/error.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import { grantScopes } from '../core/token/scope.ts'
import type { ParentLink } from '../ports/client-store.ts'
import type { AgentClassRecord } from '../ports/records.ts'
import type { AuthenticatedClient, ClientCredentials } from './client-authentication.ts'
import { lifetimeOf } from './client-credentials-grant.ts'
import { createId } from './naming.ts'
import type { Service } from './service.ts'
import type { Delegation, Grant } from './token-grant.ts'
import { findHolders, readIssuedToken } from './token-standing.ts'

/** As `grant_type` names it. */
export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** The one type of token that is taken and given. */
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/**
 * What an agent may have of the token of another that it acts for: what both that token and its own class allow, and
 * never longer. The caller is the actor, by the proof of its own key; an actor token only says so once more.
 *
 * @throws OAuthError `invalid_request` for a token that is not accepted, `unauthorized_client`, `invalid_target`,
 *   `invalid_scope`, `invalid_authorization_details`
 * @see RFC 8693 §2.1, §2.2.2
 */
export async function authorizeTokenExchange(
  service: Service,
  caller: AuthenticatedClient,
  credentials: ClientCredentials,
): Promise<Grant> {
  const { form } = credentials
  requireTypes(form)
  const actorClass = requireAgent(caller)
  const { claims: subject, links } = await readSubject(service, caller, form['subject_token'] ?? '')
  await checkActorToken(service, caller, form['actor_token'])
  return {
    audiences: chooseAudiences(service, credentials, subject, actorClass),
    scopes: chooseScopes(form['scope'], subject, actorClass),
    details: chooseDetails(form['authorization_details'], subject, actorClass),
    lifetimeSeconds: remainingLifetime(service, caller, subject),
    delegation: { ...delegate(service, caller, subject), links },
  }
}

type Form = ClientCredentials['form']

/** RFC 8693 §2.1: the type of an actor token goes with the token, and never alone. */
function requireTypes(form: Form): void {
  if (form['subject_token'] === undefined)
    throw new OAuthError('invalid_request', 'The subject_token is missing.')
  requireType('subject_token_type', form['subject_token_type'])
  requireType('requested_token_type', form['requested_token_type'] ?? accessTokenType)
  if (form['actor_token'] !== undefined) requireType('actor_token_type', form['actor_token_type'])
  else if (form['actor_token_type'] !== undefined)
    throw new OAuthError('invalid_request', 'An actor_token_type goes with an actor_token.')
}

function requireType(parameter: string, type: string | undefined): void {
  if (type !== accessTokenType)
    throw new OAuthError('invalid_request', `The ${parameter} here: ${accessTokenType}.`)
}

function requireAgent({ client }: AuthenticatedClient): AgentClassRecord {
  if (client.kind === 'agent') return client.agentClass
  const reason = new TokenError('delegation-kind', { expected: 'an agent', found: client.kind })
  throw new OAuthError('unauthorized_client', reason.message, reason)
}

/** Of an agent, in its time, standing with its whole chain, and open to one more actor. */
async function readSubject(
  service: Service,
  caller: AuthenticatedClient,
  token: string,
): Promise<Standing> {
  const standing = await readStanding(service, token)
  const { claims } = standing
  if (claims.assay.kind !== 'agent')
    throw refuseToken(new TokenError('delegation-kind', { found: claims.assay.kind }))
  const depth = actorsOf(claims).length
  if (depth >= maxActors)
    throw refuseToken(
      new TokenError('delegation-depth', {
        expected: `at most ${maxActors} actors`,
        found: String(depth + 1),
      }),
    )
  if (!mayAct(claims, caller.id, service.settings.issuer))
    throw refuseToken(new TokenError('delegation-may-act', { found: caller.id }))
  return standing
}

async function checkActorToken(
  service: Service,
  caller: AuthenticatedClient,
  token: string | undefined,
): Promise<void> {
  if (token === undefined) return
  const { client_id: id, sub } = (await readStanding(service, token)).claims
  if (id !== caller.id || sub !== caller.id)
    throw refuseToken(new TokenError('delegation-actor', { expected: caller.id, found: id }))
}

/** A token that stands, and what is looked at once more when another is issued for it. */
interface Standing {
  readonly claims: AccessTokenClaims
  readonly links: readonly ParentLink[]
}

async function readStanding(service: Service, token: string): Promise<Standing> {
  const claims = readToken(service, token)
  const holders = await findHolders(service, claims)
  if (holders === undefined) throw refuseToken(new TokenError('token-inactive'))
  const tokens = [claims, ...(claims.parents ?? [])]
  const links = holders.map(({ kind, key }, at) => {
    const { jti, cnf } = tokens[at] ?? claims
    return { kind, jkt: key.jkt, jti, ...('jkt' in cnf ? {} : { x5t: cnf['x5t#S256'] }) }
  })
  return { claims, links }
}

function readToken(service: Service, token: string): AccessTokenClaims {
  try {
    return readIssuedToken(service, token)
  } catch (cause) {
    throw cause instanceof TokenError ? refuseToken(cause) : cause
  }
}

/** RFC 8693 §2.2.2: whatever is wrong with either token, the request is. */
export function refuseToken(reason: TokenError): OAuthError {
  return new OAuthError('invalid_request', reason.message, reason)
}

/** Those of the token where none is named. What is for the service itself is not passed on. */
function chooseAudiences(
  service: Service,
  { form, resources = [] }: ClientCredentials,
  subject: AccessTokenClaims,
  { audiences: registered }: AgentClassRecord,
): readonly string[] {
  const named = form['audience'] === undefined ? resources : [...resources, form['audience']]
  const held = audiencesOf(subject)
  const asked = named.length === 0 ? held : [...new Set(named)]
  const allowed = held.filter(one => registered.includes(one) && one !== service.settings.issuer)
  if (!asked.every(audience => allowed.includes(audience)))
    throw new OAuthError(
      'invalid_target',
      `This token may be passed on to this client for: ${allowed.join(' ') || 'nothing'}.`,
    )
  return asked
}

function chooseScopes(
  asked: string | undefined,
  subject: AccessTokenClaims,
  { scopes: registered }: AgentClassRecord,
): readonly string[] {
  const held = subject.scope.split(' ').filter(scope => scope !== '')
  const allowed = held.filter(scope => registered.includes(scope))
  const scopes = grantScopes(asked, allowed)
  if (scopes === undefined)
    throw new OAuthError(
      'invalid_scope',
      `This token may be passed on to this client with: ${allowed.join(' ') || 'nothing'}.`,
    )
  return scopes
}

/** Those of the token are passed on unless fewer are asked for: a token without would be one for all of them. */
function chooseDetails(
  asked: string | undefined,
  { authorization_details: held }: AccessTokenClaims,
  { authorizationDetails: registered }: AgentClassRecord,
): readonly AuthorizationDetail[] | undefined {
  if (asked === undefined && held === undefined) return undefined
  const details = grantDetails(asked ?? JSON.stringify(held), registered)
  if (details === undefined || !areNarrower(details, held ?? []))
    throw new OAuthError(
      'invalid_authorization_details',
      'Details are passed on as the token has them or narrower, and as registered for this client.',
    )
  return details
}

function remainingLifetime(
  service: Service,
  caller: AuthenticatedClient,
  { exp }: AccessTokenClaims,
): number {
  // Whole seconds, as the new token will count from its own iat.
  const now = Math.floor(service.clock.now() / 1000)
  return Math.min(lifetimeOf(service, caller), exp - now)
}

function delegate(
  service: Service,
  { id }: AuthenticatedClient,
  { sub, act, txn, client_id, jti, cnf, parents = [] }: AccessTokenClaims,
): Omit<Delegation, 'links'> {
  return {
    subject: sub,
    act: nestActor(id, act),
    parents: [{ client_id, jti, cnf }, ...parents],
    txn: txn ?? createId(service),
  }
}
