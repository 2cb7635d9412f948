import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { parseKeyChallenge } from '../../src/attester/challenge.ts'
import { Home } from '../../src/attester/home.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { followBundle, tellAdoption } from '../../src/attester/trust-bundle.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { signEcdsa } from '../../src/core/jose/ecdsa.ts'
import { createApp } from '../../src/http/app.ts'
import { admitAnchor } from '../../src/services/anchors.ts'
import { startTlsServer } from '../../src/tls-server.ts'
import { proveRenewal } from '../../swtpm/emulated/answer.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import type { EmulatedKey } from '../../swtpm/emulated/key.ts'
import { createEmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { freePort } from './free-port.ts'
import { startTestApi, type TestApi } from './test-api.ts'
import { askForChallenge, encodeBytes, evidenceBody, postJson, testKeyOf } from './test-host.ts'
import type { TestHardware } from './test-service.ts'

/** Seconds that authorities, and certificates of service and host, live. */
const authoritySeconds = 60
const certificateSeconds = 10
/** Where the test is of something else. */
const longAuthoritySeconds = 3_600

/** A service that listens, and a host that is in. */
export interface Stage {
  readonly api: TestApi
  readonly port: number
  readonly folder: string
  readonly home: Home
  readonly clientId: string
  readonly key: EmulatedKey
  /** The host's certificate and those above it, PEM. */
  certificateChain: string
  follow(): Promise<void>
  renew(): Promise<void>
  /** Whether half of the life of the certificate is over, so that a host renews it unasked. */
  isDue(): boolean
}

/** Starts both. The certificates of a service with hardware are of an authority that outlasts the test. */
export async function begin(
  t: Pick<ExecutionContext, 'teardown'>,
  hardware?: TestHardware,
): Promise<Stage> {
  const port = await freePort()
  const issuer = `https://127.0.0.1:${port}`
  const lifetimes = {
    issuer,
    certificateLifetimeSeconds: certificateSeconds,
    serviceCertificateSeconds: certificateSeconds,
    bundleRefreshSeconds: 1,
  }
  const seconds = hardware === undefined ? authoritySeconds : longAuthoritySeconds
  const api = await startTestApi(t, lifetimes, seconds, hardware)
  keepTime(t, api)
  const app = createApp(api.service, { report: () => undefined })
  const listen = { host: '127.0.0.1', port }
  const server = await startTlsServer(api.service, listen, app.callback(), () => undefined)
  t.teardown(async () => await server.stop())
  const folder = mkdtempSync(join(tmpdir(), 'assay-turnover-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return await enterHost(t, api, { port, issuer, folder })
}

/** The clock of the service stands until it is moved; here it goes with the machine's. */
function keepTime(t: Pick<ExecutionContext, 'teardown'>, { clock }: TestApi): void {
  const timer = setInterval(() => clock.advance(Date.now() - clock.now()), 20)
  t.teardown(() => clearInterval(timer))
}

async function enterHost(
  t: Pick<ExecutionContext, 'teardown'>,
  api: TestApi,
  place: { readonly port: number; readonly issuer: string; readonly folder: string },
): Promise<Stage> {
  const manufacturer = createEmulatedManufacturer(Date.now() - 60_000)
  await admitAnchor(api.service, 'turnover', {
    certificate: manufacturer.root.certificate,
    name: 'emulated',
    vendor: manufacturer.vendor,
    assurance: 'emulated',
    source: 'a test',
  })
  const tpm = new EmulatedTpm({ manufacturer })
  const challenge = await askForChallenge(api, tpm)
  const { body, key } = evidenceBody(tpm, challenge)
  const enrolled = await postJson(api, `/v1/enrollments/${challenge.id}/evidence`, body)
  if (enrolled.status !== 201) throw new Error(`not enrolled: ${enrolled.text}`)
  const { id, spiffeId } = enrolled.json['host'] as { id: string; spiffeId: string }
  const root = api.service.authorities.active().chain.at(-1) ?? new Uint8Array()
  const home = await Home.open(join(place.folder, 'home'))
  await home.saveService({ issuer: place.issuer, root })
  const client = ServiceClient.create({
    issuer: place.issuer,
    trust: { root },
    key: clientKeyOf(key),
  })
  t.teardown(async () => await client.close())
  let renewedAt = Date.now()
  let renewal: Promise<void> = Promise.resolve()
  const stage: Stage = {
    ...place,
    api,
    home,
    key,
    clientId: spiffeId,
    certificateChain: (enrolled.json['certificateChain'] as string[]).join(''),
    follow: async () => {
      await followBundle(home, client, Date.now())
      await tellAdoption(home, client)
    },
    renew: async () => {
      // One after the other: the answer that was asked for last stays.
      const before = renewal
      const ask = async (): Promise<void> => {
        await before.catch(() => undefined)
        const answer = await renewHost(client, tpm, { id, tpmKey: key })
        const { certificateChain } = answer as { certificateChain: string[] }
        stage.certificateChain = certificateChain.join('')
        renewedAt = Date.now()
      }
      renewal = ask()
      await renewal
    },
    isDue: () => Date.now() - renewedAt > (certificateSeconds * 1000) / 2,
  }
  await stage.follow()
  return stage
}

async function renewHost(
  client: ServiceClient,
  tpm: EmulatedTpm,
  holder: { readonly id: string; readonly tpmKey: EmulatedKey },
): Promise<unknown> {
  const path = `/v1/hosts/${holder.id}`
  const asked = await client.call('POST', `${path}/renewal-challenge`)
  const challenge = parseKeyChallenge(asked, client.issuer)
  const { csr, subjectKey } = proveRenewal(tpm, holder, challenge)
  const renewal = { challenge: challenge.id, subjectKey: encodeBytes(subjectKey) }
  return await client.call('POST', `${path}/credentials`, { csr: encodeBase64url(csr), renewal })
}

function clientKeyOf(
  key: EmulatedKey,
): NonNullable<Parameters<typeof ServiceClient.create>[0]['key']> {
  const { jwk, jkt } = testKeyOf(key)
  return {
    jwk,
    jkt,
    algorithm: 'ES256',
    protection: 'file',
    sign: async message => await Promise.resolve(signEcdsa('sha256', message, key.privateKey, 32)),
    close: async () => await Promise.resolve(),
  }
}
