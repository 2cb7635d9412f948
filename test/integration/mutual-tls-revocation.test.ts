import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import {
  activateAuthority,
  prepareAuthority,
  revokeAuthority,
  taintAuthority,
} from '../../src/services/authority-rotation.ts'
import { pem } from '../../src/services/view.ts'
import { call, createOperator, fetchToken } from '../support/test-caller.ts'
import { agentEvidenceBody } from '../support/test-host.ts'
import { renew } from '../support/test-renewal.ts'
import { introspect } from '../support/token-standing.ts'
import {
  begin,
  curl,
  renewal,
  thumbprintOf,
  tokenByCertificate,
  writeIdentity,
} from './mutual-tls-stage.ts'

test('a token does not outlast the certificate that it is bound to', async t => {
  const stage = await begin(t)
  stage.api.clock.advance(3_600_000 - 60_000)
  const { json } = await tokenByCertificate(stage)
  t.true(Number(json['expires_in']) <= 60, JSON.stringify(json))
  stage.api.clock.advance(60_000)
  t.like(await tokenByCertificate(stage), { status: 401, json: { code: 'certificate-unknown' } })
})

test('revocation takes certificate and token at once', async t => {
  const stage = await begin(t)
  const { api, agent, host, operator } = stage
  const token = String((await tokenByCertificate(stage)).json['access_token'])
  const body = ['--json', await renewal(api, agent), '-H', `Authorization: Bearer ${token}`]
  const revoked = await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, {
    reason: 'stolen',
  })
  t.is(revoked.status, 200)
  const path = `/v1/agents/${agent.id}/credentials`
  t.like(await curl(stage, 'agent', path, ...body), {
    status: 401,
    json: { code: 'certificate-unknown' },
  })
  t.like(await tokenByCertificate(stage), { status: 401, json: { error: 'invalid_client' } })
})

test('certificates of an authority authenticate until it is revoked, and then nobody', async t => {
  const stage = await begin(t)
  const { api, agent } = stage
  const { service } = api
  const before = service.authorities.active().id
  const made = await prepareAuthority(service, 'test', { kind: 'root', reason: null })
  const change = { isForced: true, reason: 'a test' }
  await activateAuthority(service, 'test', made.authority.id, change)
  writeFileSync(
    join(stage.folder, 'root.pem'),
    pem(made.authority.chain.at(-1) ?? new Uint8Array()),
  )
  // The listener takes up a certificate of the new authority behind the activation.
  const answers = async (): Promise<boolean> =>
    await tokenByCertificate(stage).then(
      ({ status }) => status === 200,
      () => false,
    )
  let isUp = false
  for (let round = 0; round < 50 && !isUp; round += 1) {
    await new Promise(resolve => setTimeout(resolve, 100))
    isUp = await answers()
  }
  t.true(isUp)
  await taintAuthority(service, 'test', before, 'a test')
  const { json } = await tokenByCertificate(stage)
  const token = String(json['access_token'])
  await revokeAuthority(service, 'test', before, 'a test')
  const refused = { status: 401, json: { code: 'certificate-unknown' } }
  t.like(await tokenByCertificate(stage), refused)
  const path = `/v1/agents/${agent.id}/credentials`
  const body = ['--json', await renewal(api, agent), '-H', `Authorization: Bearer ${token}`]
  t.like(await curl(stage, 'agent', path, ...body), refused)
  const renewed = await renew(api, agent)
  t.is(renewed.status, 201)
  const chain = renewed.json['certificateChain'] as string[]
  writeIdentity(stage.folder, 'agent', chain, agent.key.privateKey)
  t.is((await tokenByCertificate(stage)).status, 200)
})

test('a rekeyed agent’s former certificate authenticates nobody', async t => {
  const stage = await begin(t)
  const { api, agent, host } = stage
  const { json } = await call(api, host, 'POST', `/v1/agents/${agent.id}/challenge`)
  const { body } = agentEvidenceBody(host.tpm, agent.id, json as never)
  t.is((await call(api, host, 'POST', `/v1/agents/${agent.id}/credentials`, body)).status, 201)
  api.clock.advance(3_000)
  t.like(await tokenByCertificate(stage), { status: 401, json: { code: 'certificate-unknown' } })
})

test('introspection tells the certificate of a bound token, and forgets it once the agent is revoked', async t => {
  const stage = await begin(t)
  const { api, agent, operator } = stage
  const server = await createOperator(api, 'resource-server')
  const token = String((await tokenByCertificate(stage)).json['access_token'])
  const ask = async (): Promise<Record<string, unknown>> => {
    const bearer = await fetchToken(api, server.key)
    return (await introspect(api, { key: server.key, token: bearer }, token)).json
  }
  t.like(await ask(), { active: true, cnf: { 'x5t#S256': thumbprintOf(agent) } })
  await call(api, operator, 'POST', `/v1/agents/${agent.id}/revoke`, { reason: 'x' })
  t.deepEqual(await ask(), { active: false })
})
