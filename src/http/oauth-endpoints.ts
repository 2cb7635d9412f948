import { createChallenge, createNonce } from '../core/token/nonce.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import { authenticateClient, type ClientCredentials } from '../services/client-authentication.ts'
import { authenticateAsker, introspectToken, signIntrospection } from '../services/introspection.ts'
import {
  authorizationServerMetadata,
  protectedResourceMetadata,
  tokenKeySet,
} from '../services/token-metadata.ts'
import { revokeOwnToken } from '../services/token-revocation.ts'
import { issueToken } from '../services/tokens.ts'
import { readForm } from './body.ts'
import { certificateThumbprint } from './client-certificate.ts'
import { callerOf, requestUrl, type RequestContext, type Step } from './context.ts'
import { requireScope, singleHeader, type Endpoint } from './endpoint.ts'
import { answerOAuthError } from './oauth-answer.ts'
import { introspectionForm, revocationForm, tokenForm } from './schema.ts'

const formLimit = 16 * 1024

/** Errors of these endpoints have OAuth's form. */
const oauthForm: Step = async function oauthForm(ctx, next) {
  ctx.state.refusal = answerOAuthError
  await next()
}

/** Each answer carries what the next proof must have (RFC 9449 §8.2, attestation-based client auth -10 §6.2). */
const offerNonce: Step = async function offerNonce(ctx, next) {
  const { nonceKey, clock } = ctx.service
  ctx.set('DPoP-Nonce', createNonce(nonceKey, clock.now()))
  ctx.set('OAuth-Client-Attestation-Challenge', createChallenge(nonceKey, clock.now()))
  await next()
}

const readParameters: Step = async function readParameters(ctx, next) {
  ctx.state.form = await readForm(ctx.req, formLimit)
  await next()
}

/** What a request carries that can authenticate its sender. */
function credentialsOf(ctx: RequestContext): ClientCredentials {
  return {
    method: ctx.method,
    url: requestUrl(ctx),
    form: ctx.state.form?.parameters ?? {},
    resources: ctx.state.form?.resources ?? [],
    dpop: singleHeader(ctx, 'dpop'),
    attestation: singleHeader(ctx, 'oauth-client-attestation'),
    attestationPop: singleHeader(ctx, 'oauth-client-attestation-pop'),
    certificateThumbprint: certificateThumbprint(ctx.req.socket),
    sourceAddress: ctx.req.socket.remoteAddress,
  }
}

const answerToken: Step = async function answerToken(ctx) {
  ctx.body = await issueToken(ctx.service, credentialsOf(ctx))
}

function tokenParameter(ctx: RequestContext): string {
  const token = ctx.state.form?.parameters['token']
  if (token === undefined)
    throw new OAuthError('invalid_request', 'The parameter token is missing.')
  return token
}

const signedIntrospection = 'application/token-introspection+jwt'

const requireIntrospectionScope = requireScope('tokens:introspect', readParameters)

/** An access token of this API and its proof, or client authentication as at the token endpoint (RFC 7662 §2.1). */
const admitAsker: Step = async function admitAsker(ctx, next) {
  const isAuthorized = singleHeader(ctx, 'authorization') !== undefined
  if (!isAuthorized) await readParameters(ctx, async () => undefined)
  const credentials = credentialsOf(ctx)
  if (!isAuthorized && showsClient(credentials)) {
    ctx.state.asker = await authenticateAsker(ctx.service, credentials)
  } else {
    await requireIntrospectionScope(ctx, async () => undefined)
    ctx.state.asker = callerOf(ctx)
  }
  await next()
}

function showsClient(credentials: ClientCredentials): boolean {
  const { form, dpop, attestation } = credentials
  const shown = [form['client_assertion'], dpop, attestation, credentials.certificateThumbprint]
  return shown.some(one => one !== undefined)
}

const answerIntrospection: Step = async function answerIntrospection(ctx) {
  const { asker } = ctx.state
  if (asker === undefined) throw new TypeError('endpoint without admitAsker')
  const { client, id } = asker
  const answer = await introspectToken(ctx.service, client, tokenParameter(ctx))
  ctx.vary('Accept')
  if (ctx.accepts('application/json', signedIntrospection) !== signedIntrospection) {
    ctx.body = answer
    return
  }
  ctx.body = await signIntrospection(ctx.service, id, answer)
  ctx.type = signedIntrospection
}

const answerRevocation: Step = async function answerRevocation(ctx) {
  const caller = await authenticateClient(ctx.service, credentialsOf(ctx))
  await revokeOwnToken(ctx.service, caller, tokenParameter(ctx))
  ctx.status = 200
  ctx.body = ''
}

const answerChallenge: Step = async function answerChallenge(ctx) {
  ctx.body = {
    attestation_challenge: createChallenge(ctx.service.nonceKey, ctx.service.clock.now()),
  }
}

const answerMetadata: Step = async function answerMetadata(ctx) {
  const metadata = await authorizationServerMetadata(ctx.service)
  ctx.set('Cache-Control', 'public, max-age=60')
  ctx.body = metadata
}

/** The authorization server. */
export const oauthEndpoints: readonly Endpoint[] = [
  {
    method: 'POST',
    path: '/oauth/token',
    summary:
      'Client credentials by the attested key, or a token in exchange for another: a bound access token of minutes (RFC 6749, RFC 8693, RFC 9449, RFC 8705).',
    form: tokenForm,
    steps: [oauthForm, offerNonce, readParameters, answerToken],
  },
  {
    method: 'POST',
    path: '/oauth/introspect',
    scope: 'tokens:introspect',
    summary: 'Whether a token is good at this moment (RFC 7662).',
    form: introspectionForm,
    steps: [oauthForm, offerNonce, admitAsker, answerIntrospection],
  },
  {
    method: 'POST',
    path: '/oauth/revoke',
    summary: 'Takes back an access token of the caller (RFC 7009).',
    form: revocationForm,
    steps: [oauthForm, offerNonce, readParameters, answerRevocation],
  },
  {
    method: 'POST',
    path: '/oauth/challenge',
    summary: 'A challenge for the proof of a client attestation, and a DPoP nonce.',
    steps: [oauthForm, offerNonce, answerChallenge],
  },
  {
    method: 'GET',
    path: '/oauth/jwks',
    summary: 'The keys that verify access tokens (RFC 7517).',
    steps: [
      ctx => {
        const { keySetMaxAgeSeconds } = ctx.service.settings
        ctx.set('Cache-Control', `public, max-age=${keySetMaxAgeSeconds}`)
        ctx.body = tokenKeySet(ctx.service)
      },
    ],
  },
  {
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    summary: 'The authorization server’s metadata (RFC 8414).',
    steps: [answerMetadata],
  },
  {
    method: 'GET',
    path: '/.well-known/openid-configuration',
    summary: 'The same, where clients of OpenID Connect look for it (RFC 8414 §5).',
    steps: [answerMetadata],
  },
  {
    method: 'GET',
    path: '/.well-known/oauth-protected-resource',
    summary: 'This API as a protected resource (RFC 9728).',
    steps: [
      ctx => {
        ctx.set('Cache-Control', 'public, max-age=60')
        ctx.body = protectedResourceMetadata(ctx.service)
      },
    ],
  },
]
