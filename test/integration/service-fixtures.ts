import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { parseConfig } from '../../src/config.ts'
import type { AttestationPlace } from '../../src/attester/client-attestation.ts'
import type { ClientKey } from '../../src/attester/client-key.ts'
import { createFileKey } from '../../src/attester/file-key.ts'
import { Home } from '../../src/attester/home.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { initialiseService, startService } from '../../src/main.ts'
import { freePort } from '../support/free-port.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import type { Manufacturer } from '../../swtpm/manufacturer.ts'

/** A real service in this process, with a client of its first operator. */
export interface ServiceBench {
  readonly issuer: string
  readonly fingerprint: string
  readonly operator: ServiceClient
  readonly operatorKey: ClientKey
  /** A client of the service, with or without a key; closed with the service. */
  connect(key?: ClientKey, attestation?: AttestationPlace): ServiceClient
  /** An empty home of a client, gone with the service. */
  createHome(): Promise<Home>
  stop(): Promise<void>
}

/** Initialises a service in a directory of its own and starts it; emulated TPMs may enrol. */
export async function startServiceBench(): Promise<ServiceBench> {
  const directory = await createPrivateDirectory('assay-service')
  const dataDirectory = join(directory, 'data')
  const operatorKey = await createFileKey(join(directory, 'operator.pem'))
  const config = await localConfig()
  const { fingerprint } = await initialiseService({
    dataDirectory,
    config,
    operator: {
      name: 'first',
      role: 'administrator',
      keyProtection: 'file',
      jwk: operatorKey.jwk,
    },
  })
  const running = await startService({ dataDirectory, log: { report: () => undefined } })
  const { issuer } = running
  const clients: ServiceClient[] = []
  const connect = (key?: ClientKey, attestation?: AttestationPlace): ServiceClient => {
    const client = ServiceClient.create({ issuer, trust: { fingerprint }, key, attestation })
    clients.push(client)
    return client
  }
  let homes = 0
  return {
    issuer,
    fingerprint,
    connect,
    operator: connect(operatorKey),
    operatorKey,
    createHome: async () => await Home.open(join(directory, `home-${(homes += 1)}`)),
    stop: async () => {
      await Promise.all(clients.map(async client => await client.close()))
      await running.stop()
      discardDirectory(directory)
    },
  }
}

/** A service has to know its address before it listens: a port that was free a moment ago. */
async function localConfig(): Promise<ReturnType<typeof parseConfig>> {
  const port = await freePort()
  const settings = {
    issuer: `https://localhost:${port}`,
    trustDomain: 'assay.test',
    listen: { host: '127.0.0.1', port },
    attestation: { assurance: ['emulated'] },
  }
  return parseConfig(stringify(settings), 'config.yaml')
}

/** Admits the manufacturer of software TPMs as a trust anchor. */
export async function admitManufacturer(
  operator: ServiceClient,
  { rootCertificate }: Manufacturer,
): Promise<void> {
  await operator.call('POST', '/v1/anchors', {
    certificate: encodeBase64url(new X509Certificate(rootCertificate).raw),
    name: 'throwaway',
    vendor: 'id:00001014',
    assurance: 'emulated',
  })
}
