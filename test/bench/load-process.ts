// The client side of a bench, in a process of its own: prepares all requests, then sends them as fast as they are
// answered.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { exportJwk, thumbprint } from '../../src/core/jose/jwk.ts'
import { HttpConnection, type Address } from './connection.ts'
import { issuer, type BenchAgent } from './population.ts'
import {
  certificateRequest,
  createAssertion,
  createCsr,
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
  | { readonly meet: { readonly address: Address; readonly agents: readonly AgentText[] } }
  | { readonly prepare: { readonly kind: RequestKind; readonly count: number } }
  | { readonly send: { readonly connections: number } }

/** That it is ready, or what a round came to. */
export type LoadReport = { readonly ready: true } | { readonly milliseconds: number }

let address: Address
let agents: readonly BenchAgent[] = []
let requests: string[] = []
let expected = 0
const csrs = new Map<string, string>()
const ownTokens = new Map<string, string>()

async function obey(order: LoadOrder): Promise<LoadReport> {
  if ('meet' in order) {
    address = order.meet.address
    agents = order.meet.agents.map(agentOf)
  } else if ('prepare' in order) {
    requests = await prepare(order.prepare.kind, order.prepare.count)
    expected = order.prepare.kind === 'certificate' ? 201 : 200
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

async function prepare(kind: RequestKind, count: number): Promise<string[]> {
  const nonce = await fetchNonce()
  if (kind === 'certificate' && ownTokens.size === 0) await fetchOwnTokens(nonce)
  return Array.from({ length: count }, (_, n) => {
    const agent = agents[n % agents.length] as BenchAgent
    if (kind === 'token') return tokenRequest(agent, nonce)
    if (kind === 'tokenTwoSignatures')
      return tokenRequest(agent, nonce, { assertion: createAssertion(agent) })
    return certificateRequest(agent, ownTokens.get(agent.id) ?? '', csrs.get(agent.id) ?? '')
  })
}

/** Every answer of the token endpoint brings the nonce for the next proof. */
async function fetchNonce(): Promise<string> {
  const connection = await HttpConnection.open(address)
  const { nonce } = await connection.send(tokenRequest(agents[0] as BenchAgent, ''))
  connection.close()
  if (nonce === undefined) throw new Error('the service gave no nonce')
  return nonce
}

/** Each agent's token for the service's own API, and the request for its certificate. */
async function fetchOwnTokens(nonce: string): Promise<void> {
  const connection = await HttpConnection.open(address)
  for (const agent of agents) {
    const options = { resource: issuer, scope: 'credentials:issue' }
    const { status, body } = await connection.send(tokenRequest(agent, nonce, options))
    if (status !== 200) throw new Error(`no token: ${status} ${body}`)
    ownTokens.set(agent.id, (JSON.parse(body) as { access_token: string }).access_token)
    csrs.set(agent.id, createCsr(agent))
  }
  connection.close()
}

/** Sends all requests and gives the milliseconds that took. Any answer but the expected one ends the bench. */
async function sendAll(count: number): Promise<number> {
  const connections = await Promise.all(
    Array.from({ length: count }, async () => await HttpConnection.open(address)),
  )
  let next = 0
  const started = performance.now()
  const send = async (connection: HttpConnection): Promise<void> => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++]) {
      const { status, body } = await connection.send(request)
      if (status !== expected) throw new Error(`the service answered ${status}: ${body}`)
    }
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
