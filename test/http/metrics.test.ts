import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { createApp } from '../../src/http/app.ts'
import { startTestApi } from '../support/test-api.ts'
import { createOperator, proofOf } from '../support/test-caller.ts'

const path = '/metrics'

test('requests are counted by route and status, and no path or caller is named', async t => {
  const api = await startTestApi(t)
  await api.send({ method: 'GET', path: '/healthz' })
  await api.send({ method: 'GET', path: '/v1/hosts/some-host-id' })
  await api.send({ method: 'GET', path: '/no/such/path' })
  await api.send({ method: 'BREW', path: '/healthz' })
  const answer = await api.send({ method: 'GET', path })
  t.is(answer.status, 200)
  t.is(answer.type, 'text/plain')
  t.regex(answer.text, /assay_http_requests_total\{method="GET",route="\/healthz",status="200"\} 1/)
  t.regex(answer.text, /route="\/v1\/hosts\/:id",status="401"\} 1/)
  t.regex(answer.text, /route="none",status="404"\} 1/)
  t.notRegex(answer.text, /some-host-id|no\/such|BREW|spiffe/)
})

test('figures show which signing key is down', async t => {
  const api = await startTestApi(t)
  const state = { isUp: true, since: 0, waiting: 0 }
  const signer = {
    role: 'issuing',
    place: 'pkcs11',
    algorithm: 'ES256',
    publicKey: new Uint8Array(),
    sign: () => new Uint8Array(),
    state: () => state,
    close: async () => await Promise.resolve(),
  } as const
  ;(api.service.signers as unknown[]).push(signer)
  const read = async (): Promise<string> => (await api.send({ method: 'GET', path })).text
  t.regex(await read(), /assay_signer_up\{role="issuing",place="pkcs11"\} 1/)
  Object.assign(state, { isUp: false, waiting: 3 })
  const down = await read()
  t.regex(down, /assay_signer_up\{role="issuing",place="pkcs11"\} 0/)
  t.regex(down, /assay_signer_waiting\{role="issuing",place="pkcs11"\} 3/)
})

test('signatures are timed by what they are for and what came of them, and by nothing else', async t => {
  const api = await startTestApi(t)
  await api.service.authorities.active().signer.sign(new Uint8Array(1))
  api.service.signingTimes.observe('token', 'down', 0.003)
  const { text } = await api.send({ method: 'GET', path })
  t.regex(text, /assay_signing_seconds_count\{role="issuing",outcome="signed"\} 1\n/)
  t.regex(text, /assay_signing_seconds_bucket\{le="0.002",role="token",outcome="down"\} 0\n/)
  t.regex(text, /assay_signing_seconds_bucket\{le="0.01",role="token",outcome="down"\} 1\n/)
})

test('from another machine figures are for those with the scope', async t => {
  const api = await startTestApi(t)
  const handle = createApp(api.service, { report: () => undefined }).callback()
  const server = createServer((request, response) => {
    Object.defineProperty(request.socket, 'remoteAddress', {
      value: '192.0.2.7',
      configurable: true,
    })
    void handle(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const nobody = await fetch(url)
  t.is(nobody.status, 401)
  await nobody.body?.cancel()
  const auditor = await createOperator(api, 'auditor')
  const proof = await proofOf(api, auditor.key, { method: 'GET', path, token: auditor.token })
  const known = await fetch(url, {
    headers: { Authorization: `DPoP ${auditor.token}`, DPoP: proof, Connection: 'close' },
  })
  t.is(known.status, 200)
  t.regex(await known.text(), /assay_http_requests_total/)
  const relying = await createOperator(api, 'resource-server')
  const wrong = await proofOf(api, relying.key, { method: 'GET', path, token: relying.token })
  const refused = await fetch(url, {
    headers: { Authorization: `DPoP ${relying.token}`, DPoP: wrong, Connection: 'close' },
  })
  t.is(refused.status, 403)
  await refused.body?.cancel()
})
