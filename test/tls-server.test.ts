import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { taintAuthority } from '../src/services/authority-rotation.ts'
import type { Settings } from '../src/services/service.ts'
import { pem } from '../src/services/view.ts'
import { startTlsServer, type TlsServer } from '../src/tls-server.ts'
import { createTestService, type TestService } from './support/test-service.ts'

interface Running extends TestService {
  readonly server: TlsServer
  readonly port: number
}

async function start(
  t: ExecutionContext,
  changes: Partial<Settings> = {},
  host = '127.0.0.1',
): Promise<Running> {
  const made = await createTestService(t, changes)
  const server = await startTlsServer(
    made.service,
    { host, port: 0 },
    (request, response) => response.end(`you asked for ${request.url}`),
    cause => t.log(String(cause)),
  )
  t.teardown(async () => await server.stop())
  return { ...made, server, port: server.address.port }
}

/** What openssl's client prints when it connects, sends a request, and hears the answer. */
async function sClient(t: ExecutionContext, port: number, ...args: string[]): Promise<string> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill())
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stdin.on('error', () => undefined)
  child.stdin.write('GET /x HTTP/1.1\r\nHost: assay.example\r\nConnection: close\r\n\r\n')
  await new Promise(resolve => child.once('close', resolve))
  return output
}

function rootFile(
  t: ExecutionContext,
  { service }: TestService,
  id = service.authorities.active().id,
): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-tls-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'root.pem')
  writeFileSync(path, pem(service.authorities.find(id)?.chain.at(-1) ?? new Uint8Array()))
  return path
}

test('openssl accepts the server’s certificate below the root, for its names', async t => {
  const running = await start(t)
  const root = rootFile(t, running)
  for (const name of [
    ['-verify_hostname', 'assay.example'],
    ['-verify_ip', '127.0.0.1'],
  ]) {
    const output = await sClient(t, running.port, '-CAfile', root, '-verify_return_error', ...name)
    t.regex(output, /Verify return code: 0 \(ok\)/)
    t.regex(output, /you asked for \/x/)
  }
  const wrong = await sClient(
    t,
    running.port,
    '-CAfile',
    root,
    '-verify_return_error',
    '-verify_hostname',
    'other.example',
  )
  t.notRegex(wrong, /you asked for/)
})

test('the chain that is sent ends in the root, so that a pin on it can be seen', async t => {
  const running = await start(t)
  const output = await sClient(t, running.port, '-showcerts')
  const sent = output.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  t.is(sent.length, 3)
  const root = new X509Certificate(
    running.service.authorities.active().chain.at(-1) ?? new Uint8Array(),
  )
  t.is(new X509Certificate(sent[2] ?? '').fingerprint256, root.fingerprint256)
})

test('nothing older than TLS 1.3 is spoken', async t => {
  const running = await start(t)
  for (const version of ['-tls1_2', '-tls1_1']) {
    const output = await sClient(t, running.port, version)
    t.notRegex(output, /you asked for/)
  }
  t.regex(await sClient(t, running.port, '-tls1_3'), /New, TLSv1\.3/)
})

test('a session is not resumed: each connection proves its key again', async t => {
  const running = await start(t)
  const first = await connectTo(t, running)
  const sessions: Buffer[] = []
  first.on('session', (session: Buffer) => sessions.push(session))
  await ask(first)
  const session = sessions.at(-1)
  t.not(session, undefined)
  const again = await connectTo(t, running, session)
  t.false(again.isSessionReused())
})

test('the certificate is made anew as time goes by, and connections that stand are not touched', async t => {
  const running = await start(t, { serviceCertificateSeconds: 2 })
  const standing = await connectTo(t, running)
  const first = standing.getPeerX509Certificate()?.serialNumber
  let next = first
  for (let round = 0; round < 100 && next === first; round += 1) {
    await pause(50)
    const socket = await connectTo(t, running)
    next = socket.getPeerX509Certificate()?.serialNumber
    socket.destroy()
  }
  t.not(next, first)
  t.is(running.service.authorities.records.length, 1)
  t.regex(await ask(standing), /you asked for \/x/)
})

async function connectTo(
  t: ExecutionContext,
  { port }: Running,
  session?: Buffer,
): Promise<TLSSocket> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    ...(session ? { session } : {}),
  })
  t.teardown(() => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  return socket
}

async function ask(socket: TLSSocket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.write('GET /x HTTP/1.1\r\nHost: assay.example\r\nConnection: close\r\n\r\n')
  await new Promise(resolve => socket.once('close', resolve))
  return text
}

test('while no authority issues the service starts under the newest that is trusted', async t => {
  const made = await createTestService(t)
  const { service } = made
  const { id } = service.authorities.active()
  await taintAuthority(service, 'operator/x', id, 'a test')
  t.throws(() => service.authorities.active(), { code: 'authority-absent' })
  const failures: unknown[] = []
  const listen = { host: '127.0.0.1', port: 0 }
  const server = await startTlsServer(
    service,
    listen,
    (request, response) => response.end(request.url),
    cause => failures.push(cause),
  )
  t.teardown(async () => await server.stop())
  const root = rootFile(t, made, id)
  const output = await sClient(t, server.address.port, '-CAfile', root, '-brief')
  t.regex(output, /Verification: OK/)
  t.deepEqual(failures, [])
})

test('a request without Host is refused before it reaches anybody', async t => {
  const socket = await connectTo(t, await start(t))
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.write('GET /x HTTP/1.1\r\n\r\n')
  await new Promise(resolve => socket.once('close', resolve))
  t.regex(text, /^HTTP\/1\.1 400 /)
})

test('an address that is taken is an error of the configuration', async t => {
  const running = await start(t)
  const listen = { host: '127.0.0.1', port: running.port }
  await t.throwsAsync(
    startTlsServer(
      running.service,
      listen,
      () => undefined,
      () => undefined,
    ),
    { code: 'config-address' },
  )
})

test('a server that stops finishes what is under way, and can be told twice', async t => {
  const made = await createTestService(t)
  const arrived = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const server = await startTlsServer(
    made.service,
    { host: '127.0.0.1', port: 0 },
    async (_request, response) => {
      arrived.resolve()
      await release.promise
      response.end('late answer')
    },
    cause => t.log(String(cause)),
  )
  const socket = await connectTo(t, { ...made, server, port: server.address.port })
  const answer = ask(socket)
  await arrived.promise
  const stopped = Promise.all([server.stop(), server.stop()])
  release.resolve()
  t.regex(await answer, /late answer/)
  await t.notThrowsAsync(stopped)
})

test('openssl is given the OCSP answer on the certificate in the handshake, and takes it', async t => {
  const running = await start(t)
  const root = rootFile(t, running)
  t.regex(await sClient(t, running.port, '-status'), /OCSP response: no response sent/)
  await running.service.ocsp.refresh(running.service)
  const output = await sClient(t, running.port, '-CAfile', root, '-status')
  t.regex(output, /OCSP Response Status: successful/)
  t.regex(output, /Cert Status: good/)
})
