import { execFile, spawn } from 'node:child_process'
import { createHash, X509Certificate, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { createApp } from '../../src/http/app.ts'
import {
  activateAuthority,
  prepareAuthority,
  revokeAuthority,
  taintAuthority,
} from '../../src/services/authority-rotation.ts'
import { pem } from '../../src/services/view.ts'
import { startTlsServer } from '../../src/tls-server.ts'
import { createTestKey, type TestKey } from '../support/compact-jws.ts'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import {
  assertionOf,
  call,
  createOperator,
  fetchToken,
  type TestCaller,
} from '../support/test-caller.ts'
import {
  admitManufacturer,
  agentEvidenceBody,
  createAgent,
  enrollHost,
  type TestAgent,
  type TestHost,
} from '../support/test-host.ts'
import { renew, renewalBody } from '../support/test-renewal.ts'
import { testIssuer } from '../support/test-service.ts'
import { introspect } from '../support/token-standing.ts'

const run = promisify(execFile)
const grant = 'grant_type=client_credentials'

/** The application behind its own TLS, and files for clients that know nothing of Assay. */
interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
  readonly agent: TestAgent
  readonly folder: string
  readonly port: number
}

async function begin(t: ExecutionContext): Promise<Stage> {
  const api = await startTestApi(t)
  const app = createApp(api.service, { report: () => undefined })
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await startTlsServer(api.service, listen, app.callback(), cause =>
    t.log(String(cause)),
  )
  t.teardown(async () => await server.stop())
  const folder = mkdtempSync(join(tmpdir(), 'assay-mtls-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(
    join(folder, 'root.pem'),
    pem(api.service.authorities.active().chain.at(-1) ?? new Uint8Array()),
  )
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const reader = {
    name: 'reader',
    audiences: ['https://api.example/'],
    scopes: ['read'],
    hosts: ['*'],
    tokenLifetimeSeconds: 300,
  }
  await call(api, operator, 'POST', '/v1/classes', reader)
  const agent = await createAgent(api, host, 'reader', { resource: testIssuer })
  writeIdentity(
    folder,
    'agent',
    agent.issued.json['certificateChain'] as string[],
    agent.key.privateKey,
  )
  return { api, operator, host, agent, folder, port: server.address.port }
}

function writeIdentity(
  folder: string,
  name: string,
  chain: readonly string[],
  key: KeyObject,
): void {
  writeFileSync(join(folder, `${name}.pem`), chain.join(''))
  writeFileSync(join(folder, `${name}.key`), key.export({ format: 'pem', type: 'pkcs8' }))
}

interface CurlAnswer {
  readonly status: number
  readonly json: Record<string, unknown>
}

/** Runs curl against the service by its own name, under its root, as somebody or nobody. */
async function curl(
  { folder, port }: Stage,
  identity: string | undefined,
  path: string,
  ...args: string[]
): Promise<CurlAnswer> {
  const certificate =
    identity === undefined ? [] : ['--cert', `${identity}.pem`, '--key', `${identity}.key`]
  const { stdout } = await run(
    'curl',
    [
      '--silent',
      '--show-error',
      '--cacert',
      'root.pem',
      '--resolve',
      `assay.example:${port}:127.0.0.1`,
      ...certificate,
      '--write-out',
      '\n%{http_code}',
      ...args,
      `https://assay.example:${port}${path}`,
    ],
    { cwd: folder },
  )
  const [status = '', ...lines] = stdout.split('\n').toReversed()
  return {
    status: Number(status),
    json: JSON.parse(lines.toReversed().join('\n')) as Record<string, unknown>,
  }
}

async function tokenByCertificate(stage: Stage, ...args: string[]): Promise<CurlAnswer> {
  return await curl(
    stage,
    'agent',
    '/oauth/token',
    '--data',
    grant,
    '--data-urlencode',
    `resource=${testIssuer}`,
    ...args,
  )
}

function claimsOf(token: unknown): Record<string, unknown> {
  const payload = String(token).split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

function thumbprintOf(agent: TestAgent): string {
  const leaf = new X509Certificate((agent.issued.json['certificateChain'] as string[])[0] ?? '')
  return createHash('sha256').update(leaf.raw).digest('base64url')
}

async function renewal(api: TestApi, agent: TestAgent): Promise<string> {
  return JSON.stringify(await renewalBody(api, agent))
}

test('curl with an agent’s certificate gets a token bound to it, and calls the API with both', async t => {
  const stage = await begin(t)
  const answer = await tokenByCertificate(stage)
  t.is(answer.status, 200, JSON.stringify(answer.json))
  t.is(answer.json['token_type'], 'Bearer')
  const token = String(answer.json['access_token'])
  t.deepEqual(claimsOf(token)['cnf'], { 'x5t#S256': thumbprintOf(stage.agent) })
  const path = `/v1/agents/${stage.agent.id}/credentials`
  const body = [
    '--json',
    await renewal(stage.api, stage.agent),
    '-H',
    `Authorization: Bearer ${token}`,
  ]
  const renewed = await curl(stage, 'agent', path, ...body)
  t.is(renewed.status, 201, JSON.stringify(renewed.json))
})

test('a token bound to a certificate is of no use without it, or with another', async t => {
  const stage = await begin(t)
  const token = String((await tokenByCertificate(stage)).json['access_token'])
  const path = `/v1/agents/${stage.agent.id}/credentials`
  const body = [
    '--json',
    await renewal(stage.api, stage.agent),
    '-H',
    `Authorization: Bearer ${token}`,
  ]
  t.like(await curl(stage, undefined, path, ...body), {
    status: 401,
    json: { code: 'token-unbound' },
  })
  const { host } = stage
  writeIdentity(
    stage.folder,
    'host',
    host.enrolled.json['certificateChain'] as string[],
    host.key.privateKey,
  )
  t.like(await curl(stage, 'host', path, ...body), {
    status: 401,
    json: { code: 'token-certificate' },
  })
  const dpop = [
    '--json',
    await renewal(stage.api, stage.agent),
    '-H',
    `Authorization: DPoP ${token}`,
    '-H',
    'DPoP: a.b.c',
  ]
  t.like(await curl(stage, 'agent', path, ...dpop), {
    status: 401,
    json: { code: 'token-unbound' },
  })
})

test('a certificate that this service did not issue, even for the right key, authenticates nobody', async t => {
  const stage = await begin(t)
  const { agent, folder } = stage
  writeFileSync(
    join(folder, 'self.key'),
    agent.key.privateKey.export({ format: 'pem', type: 'pkcs8' }),
  )
  await selfSign(folder, 'self', stage.agent.clientId)
  const data = ['--data', grant]
  const unknown = { status: 401, json: { error: 'invalid_client', code: 'certificate-unknown' } }
  t.like(await curl(stage, 'self', '/oauth/token', ...data), unknown)
  const other = createTestKey().privateKey.export({ format: 'pem', type: 'pkcs8' })
  writeFileSync(join(folder, 'other.key'), other)
  await selfSign(folder, 'other', agent.clientId)
  t.like(await curl(stage, 'other', '/oauth/token', ...data), unknown)
})

async function selfSign(folder: string, name: string, uri: string): Promise<void> {
  await run(
    'openssl',
    [
      'req',
      '-x509',
      '-new',
      '-key',
      `${name}.key`,
      '-subj',
      '/CN=x',
      '-addext',
      `subjectAltName=URI:${uri}`,
      '-days',
      '1',
      '-out',
      `${name}.pem`,
    ],
    { cwd: folder },
  )
}

test('without proof, assertion or certificate there is no token', async t => {
  const stage = await begin(t)
  const answer = await curl(stage, undefined, '/oauth/token', '--data', grant)
  t.like(answer, { status: 400, json: { error: 'invalid_dpop_proof', code: 'dpop-missing' } })
})

test('private_key_jwt over mutual TLS binds the token to the certificate, and both must be the client’s', async t => {
  const stage = await begin(t)
  const { api, agent, host } = stage
  const form = (key: TestKey, clientId: string): string[] =>
    Object.entries(assertionOf(api, key, clientId)).flatMap(([name, value]) => [
      '--data-urlencode',
      `${name}=${value}`,
    ])
  const good = await tokenByCertificate(stage, ...form(agent.key, agent.clientId))
  t.is(good.status, 200, JSON.stringify(good.json))
  t.deepEqual(claimsOf(good.json['access_token'])['cnf'], { 'x5t#S256': thumbprintOf(agent) })
  const wrong = await tokenByCertificate(stage, ...form(host.key, host.clientId))
  t.like(wrong, { status: 401, json: { error: 'invalid_client' } })
  const other = await tokenByCertificate(stage, ...form(createTestKey(), agent.clientId))
  t.like(other, { status: 401, json: { code: 'assertion-signature' } })
  const named = await tokenByCertificate(stage, '--data-urlencode', `client_id=${host.clientId}`)
  t.like(named, { status: 401, json: { error: 'invalid_client' } })
})

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

test('two services with each other’s certificates speak mutual TLS under the bundle, by openssl', async t => {
  const { folder, host, agent } = await begin(t)
  writeIdentity(
    folder,
    'host',
    host.enrolled.json['certificateChain'] as string[],
    host.key.privateKey,
  )
  const server = spawn(
    'openssl',
    [
      's_server',
      '-accept',
      '127.0.0.1:0',
      '-cert',
      'host.pem',
      '-key',
      'host.key',
      '-cert_chain',
      'host.pem',
      '-CAfile',
      'root.pem',
      '-Verify',
      '3',
      '-verify_return_error',
      '-tls1_3',
      '-naccept',
      '1',
      '-www',
    ],
    { cwd: folder },
  )
  t.teardown(() => server.kill())
  const port = await new Promise<number>(resolve => {
    let text = ''
    server.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const found = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(text)?.[1]
      if (found !== undefined) resolve(Number(found))
    })
  })
  const client = spawn(
    'openssl',
    [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-cert',
      'agent.pem',
      '-key',
      'agent.key',
      '-cert_chain',
      'agent.pem',
      '-CAfile',
      'root.pem',
      '-verify_return_error',
      '-tls1_3',
    ],
    { cwd: folder },
  )
  t.teardown(() => client.kill())
  let output = ''
  for (const stream of [client.stdout, client.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  client.stdin.write('GET / HTTP/1.0\r\n\r\n')
  await new Promise(resolve => client.once('close', resolve))
  t.regex(output, /Verify return code: 0 \(ok\)/)
  t.regex(output, /HTTP\/1\.0 200 ok/)
  t.true(agent.clientId.startsWith('spiffe://'))
})
