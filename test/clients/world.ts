import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import type { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import type { EmulatedKey } from '../../swtpm/emulated/key.ts'
import { Answer } from '../../src/attester/answer.ts'
import { readCertificateChain } from '../../src/attester/certificate-chain.ts'
import type { ClientKey } from '../../src/attester/client-key.ts'
import { openFileKey } from '../../src/attester/file-key.ts'
import { Home } from '../../src/attester/home.ts'
import { encodePem } from '../../src/attester/pem.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { clientKeyOf } from '../../src/cli/attack/emulated-client.ts'
import { enroll } from '../../src/cli/attack/flows.ts'
import { createAgent, proveAgentKey, renewAgent } from '../../src/cli/attack/messages.ts'
import { AttackWorld } from '../../src/cli/attack/world.ts'
import { exportJwk } from '../../src/core/jose/jwk.ts'
import type { PlayedService } from '../support/played-service.ts'

/** The resource that tokens are for. */
export const resource = 'https://orders.example'
export const scopes = ['orders:read', 'orders:write']

/** A client whose key a library can hold: that of an emulated TPM, or a file's. */
export interface PlayedClient {
  /** Its client_id. */
  readonly id: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** An agent, with the certificate for its key. */
export interface PlayedAgent extends PlayedClient {
  /** PEM, leaf first. */
  readonly chain: string
}

/** What the clients play against. */
export interface ClientsWorld {
  readonly issuer: string
  /** PEM of the service's root. */
  readonly root: string
  readonly operator: ServiceClient
  readonly agents: readonly PlayedAgent[]
  /** A relying party that may ask about tokens for {@link resource}. */
  readonly relyingParty: PlayedClient
  readonly hostId: string
  close(): Promise<void>
}

/** Enrols a host with two agents of a class, and registers a relying party. */
export async function openWorld(service: PlayedService): Promise<ClientsWorld> {
  const { issuer } = service
  const home = await Home.open(service.home)
  const { root } = await home.loadService()
  const connect = (key?: ClientKey): ServiceClient =>
    ServiceClient.create({ issuer, trust: { root }, key })
  const operator = connect(await openFileKey(home.path('operator.key.pem')))
  const world = await AttackWorld.open({ operator, connect, now: Date.now() })
  await operator.call('POST', '/v1/classes', {
    name: 'orders',
    audiences: [resource, 'https://stock.example'],
    scopes,
    hosts: ['*'],
    tokenLifetimeSeconds: 120,
    authorizationDetails: [{ type: 'order', actions: ['read', 'cancel'] }],
  })
  const host = await enroll(world)
  const agents: PlayedAgent[] = []
  for (let count = 0; count < 2; count += 1) {
    const challenge = await createAgent(host.client, 'orders')
    const key = await proveAgentKey(host.client, host.tpm, challenge)
    agents.push(await certify(connect(clientKeyOf(key)), challenge.agentId, key, host.tpm))
  }
  const relyingParty = await registerRelyingParty(operator)
  return {
    issuer,
    root: encodePem('CERTIFICATE', root),
    operator,
    agents,
    relyingParty,
    hostId: host.id,
    close: async () => await operator.close(),
  }
}

/** Renews the agent's certificate, whose chain the first answer has given to nobody here. */
async function certify(
  client: ServiceClient,
  agentId: string,
  key: EmulatedKey,
  tpm: EmulatedTpm,
): Promise<PlayedAgent> {
  const answer = new Answer(await renewAgent({ agentId, client, key }, tpm), 'certificate')
  const chain = readCertificateChain(answer, key.publicKey)
  const { subjectAltName } = new X509Certificate(chain.join(''))
  const [, id = ''] = /URI:(spiffe:[^,\s]+)/.exec(subjectAltName ?? '') ?? []
  const { publicKey, privateKey } = key
  return { id, publicKey, privateKey, chain: chain.join('') }
}

async function registerRelyingParty(operator: ServiceClient): Promise<PlayedClient> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const answer = await operator.call('POST', '/v1/operators', {
    name: 'orders-api',
    role: 'resource-server',
    keyProtection: 'file',
    jwk: exportJwk(publicKey),
    audiences: [resource],
  })
  const id = new Answer(answer, 'operator').id('id')
  return { id: `spiffe://localhost/operator/${id}`, publicKey, privateKey }
}
