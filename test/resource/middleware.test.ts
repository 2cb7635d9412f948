import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as send } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import Koa from 'koa'
import { createVerifier, protect, refusalOf } from '../../src/resource/verifier.ts'
import { createApiCertificate } from '../demo/api-certificate.ts'
import { audience, createCaller, createIssuer, issuer, now } from './fixtures.ts'

const { authority, certificate, key } = createApiCertificate(Date.now())

interface Answer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: Record<string, unknown>
}

/** A Koa application behind the middleware, and a call to it. */
async function serve(nonceSecret?: Uint8Array) {
  const trusted = createIssuer()
  const verifier = createVerifier({
    issuer,
    audience,
    fetchDocument: trusted.fetchDocument,
    now: () => now,
    ...(nonceSecret === undefined ? {} : { nonceSecret }),
  })
  const app = new Koa()
  app.silent = true
  app.use(protect(verifier, { scopes: ['orders:read'] }))
  app.use(ctx => {
    ctx.body = { for: (ctx.state['assay'] as { sub: string }).sub }
  })
  const options = {
    key,
    cert: certificate,
    ca: authority,
    requestCert: true,
    rejectUnauthorized: false,
  }
  const server = createServer(
    options,
    (incoming, outgoing) => void app.callback()(incoming, outgoing),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const call = async (
    path: string,
    headers: Record<string, string | string[]>,
    client: object = {},
  ): Promise<Answer> => {
    const outgoing = send({
      host: '127.0.0.1',
      port,
      path,
      headers,
      ca: authority,
      servername: 'localhost',
      agent: false,
      ...client,
    })
    outgoing.end()
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of response) text += String(chunk)
    return {
      status: response.statusCode,
      headers: response.headers,
      body: JSON.parse(text) as Record<string, unknown>,
    }
  }
  const stop = async (): Promise<void> => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { ...trusted, call, stop }
}

test('a Koa application answers callers with a proof, and challenges the others', async t => {
  const { call, token, stop } = await serve()
  const caller = createCaller()
  const signed = () => {
    const { authorization, dpop } = caller.request(token({ jkt: caller.jkt })).headers
    return { authorization: String(authorization), dpop: String(dpop) }
  }
  const good = await call('/orders?page=3', signed())
  t.is(good.status, 200)
  t.is(good.body['for'], 'spiffe://assay.example/agent/orders/1')

  const nobody = await call('/orders', {})
  t.is(nobody.status, 401)
  t.is(nobody.headers['content-type'], 'application/problem+json')
  t.regex(nobody.headers['www-authenticate'] ?? '', /^DPoP error="invalid_token"/)
  t.is(nobody.body['code'], 'token-malformed')

  const { dpop, ...rest } = signed()
  const twice = await call('/orders', { ...rest, dpop: [dpop, dpop] })
  t.is(twice.body['code'], 'dpop-malformed')
  t.regex(twice.headers['www-authenticate'] ?? '', /invalid_dpop_proof/)

  const elsewhere = await call('/other', signed())
  t.is(elsewhere.body['code'], 'dpop-url')
  await stop()
})

test('a failure of the resource itself is not turned into a refusal', t => {
  t.is(refusalOf(new Error('x')), undefined)
})

test('the certificate of the connection is the proof for a token that is bound to it', async t => {
  const { call, token, stop } = await serve()
  const x5t = createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url')
  const headers = { authorization: `Bearer ${token({ 'x5t#S256': x5t })}` }
  t.is((await call('/orders', headers, { key, cert: certificate })).status, 200)
  t.is((await call('/orders', headers)).body['code'], 'token-unbound')
  await stop()
})

test('a caller without the nonce is told the nonce', async t => {
  const { call, token, stop } = await serve(new Uint8Array(32).fill(1))
  const caller = createCaller()
  const signed = (claims?: object): Record<string, string> =>
    Object.fromEntries(
      Object.entries(
        caller.request(token({ jkt: caller.jkt }), { htu: `${audience}/orders`, ...claims })
          .headers,
      ).map(([name, value]) => [name, String(value)]),
    )
  const first = await call('/orders', signed())
  t.is(first.status, 401)
  t.regex(first.headers['www-authenticate'] ?? '', /use_dpop_nonce/)
  const nonce = first.headers['dpop-nonce']
  t.is((await call('/orders', signed({ nonce }))).status, 200)
  await stop()
})

test('what the issuer does not answer is 503, what the caller may not do is 403', async t => {
  const { call, token, state, stop } = await serve()
  const caller = createCaller()
  const signed = (changes: object) => {
    const { authorization, dpop } = caller.request(token({ jkt: caller.jkt }, changes)).headers
    return { authorization: String(authorization), dpop: String(dpop) }
  }
  const poor = await call('/orders', signed({ scope: 'other' }))
  t.is(poor.status, 403)
  t.regex(poor.headers['www-authenticate'] ?? '', /insufficient_scope/)
  state.isDown = true
  const silent = await call('/orders', signed({}))
  t.is(silent.status, 503)
  t.is(silent.body['code'], 'status-unknown')
  t.is(silent.headers['retry-after'], '1')
  await stop()
})
