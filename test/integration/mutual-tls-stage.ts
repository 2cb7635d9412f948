import { execFile } from 'node:child_process'
import { createHash, X509Certificate, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { createApp } from '../../src/http/app.ts'
import { pem } from '../../src/services/view.ts'
import { startTlsServer } from '../../src/tls-server.ts'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import { call, createOperator, type TestCaller } from '../support/test-caller.ts'
import {
  admitManufacturer,
  createAgent,
  enrollHost,
  type TestAgent,
  type TestHost,
} from '../support/test-host.ts'
import { renewalBody } from '../support/test-renewal.ts'
import { testIssuer } from '../support/test-service.ts'

/** Runs a program. */
export const run = promisify(execFile)

/** What is asked for. */
export const grant = 'grant_type=client_credentials'

/** The application behind its own TLS, and files for clients that know nothing of Assay. */
export interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly host: TestHost
  readonly agent: TestAgent
  readonly folder: string
  readonly port: number
}

/** Starts it. */
export async function begin(t: ExecutionContext): Promise<Stage> {
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

/** Key and certificate as files. */
export function writeIdentity(
  folder: string,
  name: string,
  chain: readonly string[],
  key: KeyObject,
): void {
  writeFileSync(join(folder, `${name}.pem`), chain.join(''))
  writeFileSync(join(folder, `${name}.key`), key.export({ format: 'pem', type: 'pkcs8' }))
}

/** What curl printed. */
export interface CurlAnswer {
  readonly status: number
  readonly json: Record<string, unknown>
}

/** Runs curl against the service by its own name, under its root, as somebody or nobody. */
export async function curl(
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

/** Asks for a token of the service’s own API with the agent’s certificate. */
export async function tokenByCertificate(stage: Stage, ...args: string[]): Promise<CurlAnswer> {
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

/** Of the agent’s certificate (RFC 8705 §3.1). */
export function thumbprintOf(agent: TestAgent): string {
  const leaf = new X509Certificate((agent.issued.json['certificateChain'] as string[])[0] ?? '')
  return createHash('sha256').update(leaf.raw).digest('base64url')
}

/** The body of a request for a new certificate of the agent. */
export async function renewal(api: TestApi, agent: TestAgent): Promise<string> {
  return JSON.stringify(await renewalBody(api, agent))
}
