import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { createTestKey, type TestKey } from '../support/compact-jws.ts'
import { assertionOf } from '../support/test-caller.ts'
import {
  begin,
  curl,
  grant,
  renewal,
  run,
  thumbprintOf,
  tokenByCertificate,
  writeIdentity,
} from './mutual-tls-stage.ts'

function claimsOf(token: unknown): Record<string, unknown> {
  const payload = String(token).split('.')[1] ?? ''
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
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
