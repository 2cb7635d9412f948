// The client side of a bench, in a process of its own: prepares all requests, then sends them as fast as they are
// answered.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { exportJwk, thumbprint } from '../../src/core/jose/jwk.ts'
import { renewalBody, restoreBenchTpm, type BenchTpm, type BenchTpmText } from './bench-tpm.ts'
import { HttpConnection, type Address } from './connection.ts'
import { issuer, type BenchAgent } from './population.ts'
import {
  certificateRequest,
  challengeRequest,
  createAssertion,
  tokenRequest,
  type RequestKind,
} from './requests.ts'

/** An agent as it crosses to another process: PKCS #8, base64. */
export interface AgentText {
  readonly id: string
  readonly spiffeId: string
  readonly pkcs8: string
}

/** What the load is told, in this order; it answers the first and the third with {@link LoadReport}. */
export type LoadOrder =
  | {
      readonly meet: {
        readonly address: Address
        readonly agents: readonly AgentText[]
        readonly tpm: BenchTpmText
      }
    }
  | { readonly prepare: { readonly kind: RequestKind; readonly count: number } }
  | { readonly send: { readonly connections: number } }

/** That it is ready, or what a round came to. */
export type LoadReport = { readonly ready: true } | { readonly milliseconds: number }

let address: Address
let agents: readonly BenchAgent[] = []
let tpm: BenchTpm
let work: Work[] = []
const ownTokens = new Map<string, string>()

async function obey(order: LoadOrder): Promise<LoadReport> {
  if ('meet' in order) {
    address = order.meet.address
    agents = order.meet.agents.map(agentOf)
    tpm = restoreBenchTpm(order.meet.tpm)
  } else if ('prepare' in order) {
    work = await prepare(order.prepare.kind, order.prepare.count)
  } else return { milliseconds: await sendAll(order.send.connections) }
  return { ready: true }
}

function agentOf({ id, spiffeId, pkcs8 }: AgentText): BenchAgent {
  const privateKey = createPrivateKey({
    key: Buffer.from(pkcs8, 'base64'),
    format: 'der',
    type: 'pkcs8',
  })
  const publicKey = createPublicKey(privateKey)
  const jwk = exportJwk(publicKey)
  return { id, spiffeId, key: { privateKey, publicKey, jwk, jkt: thumbprint(jwk) } }
}

async function prepare(kind: RequestKind, count: number): Promise<Work[]> {
  const nonce = await fetchNonce()
  if (kind === 'certificate' && ownTokens.size === 0) await fetchOwnTokens(nonce)
  return Array.from({ length: count }, (_, n) => {
    const agent = agents[n % agents.length] as BenchAgent
    if (kind === 'certificate') return renewalOf(agent, ownTokens.get(agent.id) ?? '')
    const assertion = kind === 'token' ? {} : { assertion: createAssertion(agent) }
    const request = tokenRequest(agent, nonce, assertion)
    return async connection => void (await ask(connection, request, 200))
  })
}

/** One thing that is asked of the service, in as many requests as it takes. */
type Work = (connection: HttpConnection) => Promise<void>

/** A challenge, which is prepared, and its answer, which cannot be: whoever renews has to sign what comes back. */
function renewalOf(agent: BenchAgent, token: string): Work {
  const challenge = challengeRequest(agent, token)
  return async connection => {
    const asked = JSON.parse(await ask(connection, challenge, 201)) as Challenge
    const body = renewalBody(tpm, agent, asked)
    await ask(connection, certificateRequest(agent, token, body), 201)
  }
}

type Challenge = Parameters<typeof renewalBody>[2]

/** Any answer but the expected one ends the bench. */
async function ask(connection: HttpConnection, request: string, expected: number): Promise<string> {
  const { status, body } = await connection.send(request)
  if (status !== expected) throw new Error(`the service answered ${status}: ${body}`)
  return body
}

/** Every answer of the token endpoint brings the nonce for the next proof. */
async function fetchNonce(): Promise<string> {
  const connection = await HttpConnection.open(address)
  const { nonce } = await connection.send(tokenRequest(agents[0] as BenchAgent, ''))
  connection.close()
  if (nonce === undefined) throw new Error('the service gave no nonce')
  return nonce
}

/** Each agent's token for the service's own API. */
async function fetchOwnTokens(nonce: string): Promise<void> {
  const connection = await HttpConnection.open(address)
  for (const agent of agents) {
    const options = { resource: issuer, scope: 'credentials:issue' }
    const { status, body } = await connection.send(tokenRequest(agent, nonce, options))
    if (status !== 200) throw new Error(`no token: ${status} ${body}`)
    ownTokens.set(agent.id, (JSON.parse(body) as { access_token: string }).access_token)
  }
  connection.close()
}

/** Does all that was prepared and gives the milliseconds that took. */
async function sendAll(count: number): Promise<number> {
  const connections = await Promise.all(
    Array.from({ length: count }, async () => await HttpConnection.open(address)),
  )
  let next = 0
  const started = performance.now()
  const send = async (connection: HttpConnection): Promise<void> => {
    for (let each = work[next++]; each !== undefined; each = work[next++]) await each(connection)
  }
  await Promise.all(connections.map(send))
  const milliseconds = performance.now() - started
  for (const connection of connections) connection.close()
  return milliseconds
}

process.on('message', (order: LoadOrder) => {
  obey(order).then(
    report => process.send?.(report),
    (cause: unknown) => {
      console.error(cause)
      process.exit(1)
    },
  )
})
process.on('disconnect', () => process.exit(1))
