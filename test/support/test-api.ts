import { createServer, request as sendRequest, Agent, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import { parseTilePath } from '../../src/core/log/tile-path.ts'
import { verifyLog } from '../../src/core/log/verify-log.ts'
import { createApp } from '../../src/http/app.ts'
import type { Service, Settings } from '../../src/services/service.ts'
import { createTestService, type TestHardware, type TestService } from './test-service.ts'

/** A request as a test words it; headers in order, so that one can be sent twice. */
export interface TestRequest {
  readonly method: string
  readonly path: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: string | Uint8Array
  /** Sent in chunks, without a length before it. */
  readonly chunked?: boolean
  /** Which address of this machine it comes from, where not the usual one. */
  readonly from?: string
}

/** What came back. */
export interface TestAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Media type without parameters. */
  readonly type: string
  readonly bytes: Uint8Array
  readonly text: string
  /** The body parsed, where it is JSON. */
  readonly json: Record<string, unknown>
}

/** One line that the application reported. */
export interface Report {
  readonly level: 'info' | 'warn' | 'error'
  readonly facts: Readonly<Record<string, unknown>>
  readonly message: string
}

/** The application of a wired service, listening. */
export interface TestApi extends TestService {
  readonly reports: Report[]
  readonly port: number
  send(request: TestRequest): Promise<TestAnswer>
}

/** Serves the real application over a real database; when the test ends, the audit log is verified. */
export async function startTestApi(
  t: Pick<ExecutionContext, 'teardown'>,
  changes: Partial<Settings> = {},
  authorityLifetimeSeconds?: number,
  hardware?: TestHardware,
): Promise<TestApi> {
  const made = await createTestService(t, changes, authorityLifetimeSeconds, hardware)
  const reports: Report[] = []
  const app = createApp(made.service, {
    report: (level, facts, message) => reports.push({ level, facts, message }),
  })
  const handle = app.callback()
  const server = createServer((request, response) => void handle(request, response))
  // A busy machine may leave a connection idle for longer than Node would.
  server.keepAliveTimeout = 120_000
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  t.teardown(async () => {
    agent.destroy()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
    await verifyTestLog(made.service)
  })
  const { port } = server.address() as AddressInfo
  return { ...made, reports, port, send: async request => await send(agent, port, request) }
}

/** Reads the whole audit log and checks it against the checkpoint; gives its entries, oldest first. */
export async function verifyTestLog(service: Service): Promise<AuditLine[]> {
  const lines: AuditLine[] = []
  const { audit } = service.store
  await verifyLog({
    verifier: service.logVerifier,
    read: async path => {
      if (path === 'checkpoint') return Buffer.from(await audit.checkpoint())
      const { level, index, width } = parseTilePath(path)
      if (level === 'entries') return await audit.entryBundle(index, width)
      return await audit.tile(level, index, width)
    },
    onEntry: entry => lines.push(JSON.parse(Buffer.from(entry).toString()) as AuditLine),
  })
  return lines
}

/** One entry of the audit log as it is written. */
export interface AuditLine {
  readonly type: string
  readonly actor: string
  readonly subject: string
  readonly detail: Readonly<Record<string, unknown>>
}

async function send(agent: Agent, port: number, wanted: TestRequest): Promise<TestAnswer> {
  const { method, path, headers = [], body, chunked = false, from } = wanted
  const length =
    body === undefined
      ? []
      : chunked
        ? [['Transfer-Encoding', 'chunked']]
        : [['Content-Length', `${Buffer.byteLength(body)}`]]
  return await new Promise((resolve, reject) => {
    const request = sendRequest(
      {
        agent,
        port,
        host: '127.0.0.1',
        method,
        path,
        ...(from === undefined ? {} : { localAddress: from }),
        headers: [['Host', 'assay.example'], ...headers, ...length].flat(),
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString('utf8')
          const type = (response.headers['content-type'] ?? '').split(';')[0] ?? ''
          const json = parseJson(type, text)
          const status = response.statusCode ?? 0
          resolve({ status, headers: response.headers, type, bytes, text, json })
        })
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function parseJson(type: string, text: string): Record<string, unknown> {
  return type.endsWith('json') && text !== '' ? (JSON.parse(text) as Record<string, unknown>) : {}
}
