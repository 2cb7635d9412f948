import { createNonce } from '../core/token/nonce.ts'
import { introspectToken } from '../services/introspection.ts'
import { authorizationServerMetadata, tokenKeySet } from '../services/token-metadata.ts'
import { issueToken } from '../services/tokens.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import { readForm } from './body.ts'
import { certificateThumbprint } from './client-certificate.ts'
import { requestUrl, type Step } from './context.ts'
import { requireScope, singleHeader, type Endpoint } from './endpoint.ts'
import { answerOAuthError } from './oauth-answer.ts'
import { introspectionForm, tokenForm } from './schema.ts'

const formLimit = 16 * 1024

/** Errors of these endpoints have OAuth's form. */
const oauthForm: Step = async function oauthForm(ctx, next) {
  ctx.state.refusal = answerOAuthError
  await next()
}

/** Each answer carries a nonce for the next proof (RFC 9449 §8.2). */
const offerNonce: Step = async function offerNonce(ctx, next) {
  ctx.set('DPoP-Nonce', createNonce(ctx.service.nonceKey, ctx.service.clock.now()))
  await next()
}

const readParameters: Step = async function readParameters(ctx, next) {
  ctx.state.form = await readForm(ctx.req, formLimit)
  await next()
}

const answerToken: Step = async function answerToken(ctx) {
  ctx.body = await issueToken(ctx.service, {
    method: ctx.method,
    url: requestUrl(ctx),
    form: ctx.state.form ?? {},
    dpop: singleHeader(ctx, 'dpop'),
    certificateThumbprint: certificateThumbprint(ctx.req.socket),
    sourceAddress: ctx.req.socket.remoteAddress,
  })
}

const answerIntrospection: Step = async function answerIntrospection(ctx) {
  const token = ctx.state.form?.['token']
  if (token === undefined)
    throw new OAuthError('invalid_request', 'The parameter token is missing.')
  ctx.body = await introspectToken(ctx.service, token)
}

/** The authorization server. */
export const oauthEndpoints: readonly Endpoint[] = [
  {
    method: 'POST',
    path: '/oauth/token',
    summary:
      'Client credentials by the attested key: a bound access token of minutes (RFC 6749, RFC 9449, RFC 8705).',
    form: tokenForm,
    steps: [oauthForm, offerNonce, readParameters, answerToken],
  },
  {
    method: 'POST',
    path: '/oauth/introspect',
    scope: 'tokens:introspect',
    summary: 'Whether a token is good at this moment (RFC 7662).',
    form: introspectionForm,
    steps: [oauthForm, requireScope('tokens:introspect', readParameters), answerIntrospection],
  },
  {
    method: 'GET',
    path: '/oauth/jwks',
    summary: 'The keys that verify access tokens (RFC 7517).',
    steps: [
      ctx => {
        ctx.set('Cache-Control', 'public, max-age=60')
        ctx.body = tokenKeySet(ctx.service)
      },
    ],
  },
  {
    method: 'GET',
    path: '/.well-known/oauth-authorization-server',
    summary: 'The authorization server’s metadata (RFC 8414).',
    steps: [
      ctx => {
        ctx.set('Cache-Control', 'public, max-age=60')
        ctx.body = authorizationServerMetadata(ctx.service)
      },
    ],
  },
]
