import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ExecutionContext } from 'ava'
import { parseKeyChallenge } from '../../src/attester/challenge.ts'
import { Home } from '../../src/attester/home.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { followBundle, tellAdoption } from '../../src/attester/trust-bundle.ts'
import { encodeBase64url } from '../../src/core/bytes/base64url.ts'
import { signEcdsa } from '../../src/core/jose/ecdsa.ts'
import { createApp } from '../../src/http/app.ts'
import { admitAnchor } from '../../src/services/anchors.ts'
import {
  activateAuthority,
  prepareAuthority,
  revokeAuthority,
  taintAuthority,
} from '../../src/services/authority-rotation.ts'
import { pem } from '../../src/services/view.ts'
import { startTlsServer } from '../../src/tls-server.ts'
import { proveRenewal } from '../../swtpm/emulated/answer.ts'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import type { EmulatedKey } from '../../swtpm/emulated/key.ts'
import { createEmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { freePort } from './free-port.ts'
import { startTestApi, type TestApi } from './test-api.ts'
import { askForChallenge, encodeBytes, evidenceBody, postJson, testKeyOf } from './test-host.ts'
import type { TestHardware } from './test-service.ts'

/** What came of a row of turnovers. */
export interface TurnoverReport {
  /** Authorities that were prepared, adopted, activated, and whose predecessor was tainted and revoked. */
  readonly turnovers: number
  /** Connections made meanwhile, each verified by both sides. */
  readonly handshakes: number
  readonly failedHandshakes: number
  /** Of the first of them, for people. */
  readonly firstFailure: string | undefined
}

/** Seconds that authorities, and certificates of service and host, live. */
const authoritySeconds = 60
const certificateSeconds = 10
/** Where the test is of something else. */
const longAuthoritySeconds = 3_600
/** Longer together than a certificate lives, so that one that is not renewed ends meanwhile. */
const paceMs = 180
/** Connections that are being made at once, at most: a loaded machine makes fewer. */
const mostAtOnce = 4
/** Each so many turnovers openssl looks as well. */
const opensslEvery = 10

/**
 * Turns the authority of a real service over, again and again, while a host follows the bundle and connects all the
 * time: TLS 1.3, the service verified under the roots that the host keeps, the host by its certificate, which the
 * service must know. On the machine's own clock, since TLS knows no other.
 *
 * @param skipped what the host leaves out, to see that it is missed
 */
export async function turnOver(
  t: Pick<ExecutionContext, 'teardown'>,
  turnovers: number,
  skipped?: 'follow' | 'renew',
): Promise<TurnoverReport> {
  const stage = await begin(t)
  const visitor = new Visitor(stage, skipped !== 'renew')
  const visiting = visitor.run()
  let done = 0
  while (done < turnovers) {
    await Promise.all([turnOnce(stage, visitor, skipped), pause(paceMs)])
    done += 1
    if (done % opensslEvery === 0) await visitor.visitWithOpenssl()
  }
  visitor.stop()
  await visiting
  const { handshakes, failures } = visitor
  return {
    turnovers: done,
    handshakes,
    failedHandshakes: failures.length,
    firstFailure: failures[0],
  }
}

/**
 * As {@link turnOver}, while somebody else acts on the service.
 *
 * @param work what is done meanwhile
 */
export async function visitWhile(
  t: Pick<ExecutionContext, 'teardown'>,
  hardware: TestHardware,
  work: (stage: Stage) => Promise<void>,
): Promise<Omit<TurnoverReport, 'turnovers'>> {
  const stage = await begin(t, hardware)
  const visitor = new Visitor(stage, true)
  const visiting = visitor.run()
  try {
    await work(stage)
  } finally {
    visitor.stop()
    await visiting
  }
  const { handshakes, failures } = visitor
  return { handshakes, failedHandshakes: failures.length, firstFailure: failures[0] }
}

/** The four verbs in the order in which an operator uses them, and what the host does in between. */
async function turnOnce(stage: Stage, visitor: Visitor, skipped?: string): Promise<void> {
  const { service } = stage.api
  const before = service.authorities.active().id
  const { authority } = await prepareAuthority(service, 'turnover', { kind: 'root', reason: null })
  const isForced = skipped === 'follow'
  if (!isForced) await stage.follow()
  await activateAuthority(service, 'turnover', authority.id, { isForced, reason: 'turned over' })
  await taintAuthority(service, 'turnover', before, 'turned over')
  if (skipped === undefined) await stage.renew()
  await visitor.settle()
  await revokeAuthority(service, 'turnover', before, 'turned over')
}

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

async function begin(
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

/** Connects to the service again and again, each time anew, as whoever the host is at that moment. */
class Visitor {
  readonly #stage: Stage
  readonly failures: string[] = []
  handshakes = 0
  #isStopped = false
  readonly #underWay = new Set<Promise<void>>()

  readonly #isRenewing: boolean

  constructor(stage: Stage, isRenewing: boolean) {
    this.#stage = stage
    this.#isRenewing = isRenewing
  }

  async run(): Promise<void> {
    while (!this.#isStopped) {
      // An authority that changes at this moment refuses; the next round asks again.
      if (this.#isRenewing && this.#stage.isDue()) await this.#stage.renew().catch(() => undefined)
      if (this.#underWay.size >= mostAtOnce) await Promise.race(this.#underWay)
      const visit = this.#visit().finally(() => this.#underWay.delete(visit))
      this.#underWay.add(visit)
      await Promise.race([visit, pause(20)])
    }
    await this.settle()
  }

  stop(): void {
    this.#isStopped = true
  }

  /** Until whoever came with what the host was before has gone, and somebody with what it is now has come. */
  async settle(): Promise<void> {
    await Promise.all(this.#underWay)
    await this.#visit()
  }

  async #visit(): Promise<void> {
    this.handshakes += 1
    try {
      const status = await askForToken(this.#stage, await this.#roots())
      if (status !== 200) throw new Error(`status ${status}`)
    } catch (cause) {
      this.failures.push(String(cause))
    }
  }

  /** The same service as openssl sees it, with the roots that the host keeps. */
  async visitWithOpenssl(): Promise<void> {
    this.handshakes += 1
    const file = join(this.#stage.folder, 'roots.pem')
    writeFileSync(file, (await this.#roots()).join(''))
    const address = `127.0.0.1:${this.#stage.port}`
    const args = ['s_client', '-connect', address, '-CAfile', file, '-verify_return_error']
    await new Promise<void>(resolve => {
      const child = execFile('openssl', [...args, '-verify_ip', '127.0.0.1'], (error, output) => {
        if (error !== null || !output.includes('Verify return code: 0 (ok)'))
          this.failures.push(`openssl: ${error?.message ?? output}`)
        resolve()
      })
      child.stdin?.end()
    })
  }

  async #roots(): Promise<string[]> {
    const { root, roots = [root] } = await this.#stage.home.loadService()
    return roots.map(pem)
  }
}

/** A token by the host's certificate (RFC 8705 §2.1): the service looks the certificate up. */
async function askForToken(stage: Stage, ca: readonly string[]): Promise<number> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: stage.clientId,
    resource: stage.api.service.settings.issuer,
  }).toString()
  return await new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: stage.port,
        method: 'POST',
        path: '/oauth/token',
        agent: false,
        ca: [...ca],
        cert: stage.certificateChain,
        key: stage.key.privateKey.export({ format: 'pem', type: 'pkcs8' }),
        minVersion: 'TLSv1.3',
        headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      },
      response => {
        response.resume()
        response.once('end', () => resolve(response.statusCode ?? 0))
        response.once('error', reject)
      },
    )
    sent.once('error', reject)
    sent.end(body)
  })
}
