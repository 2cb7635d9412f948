import { setTimeout as pause } from 'node:timers/promises'
import { importJwk } from '../../src/core/jose/jwk.ts'
import { shardOf } from '../../src/core/revocation/location.ts'
import { verifyStatusListToken } from '../../src/core/status/status-list-token.ts'
import { tokenAlgorithm } from '../../src/core/token/access-token.ts'
import { parseCertificateList } from '../../src/core/x509/crl.ts'
import { introspectToken } from '../../src/services/introspection.ts'
import { startStatusKeeper } from '../../src/services/status-keeper.ts'
import { startTestApi, type TestApi } from '../support/test-api.ts'
import { call, createOperator, fetchToken, type TestCaller } from '../support/test-caller.ts'
import { admitManufacturer, createAgent, enrollHost, type TestAgent } from '../support/test-host.ts'
import { testIssuer } from '../support/test-service.ts'

/** From the beginning of the call that revokes to the first answer that shows it, milliseconds. */
export interface RevocationReport {
  readonly revocations: number
  readonly introspectionP99Ms: number
  readonly statusListP99Ms: number
  readonly crlP99Ms: number
}

const revocations = 40
const pollMs = 5
/** Agents that fetch tokens all the while. */
const busyAgents = 4

interface Stage {
  readonly api: TestApi
  readonly operator: TestCaller
  readonly audience: string
}

/** Agents are revoked one after the other, while others fetch tokens; three relying parties look at each. */
export async function benchRevocation(): Promise<RevocationReport> {
  const ends: (() => unknown)[] = []
  try {
    return await measure({ teardown: end => void ends.push(end) })
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

async function measure(t: Parameters<typeof startTestApi>[0]): Promise<RevocationReport> {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const host = await enrollHost(api, await admitManufacturer(api))
  const audience = 'https://api.example/'
  await call(api, operator, 'POST', '/v1/classes', {
    name: 'bench',
    audiences: [audience],
    scopes: [],
    hosts: ['*'],
  })
  const stage = { api, operator, audience }
  const load = { isOver: false }
  const clock = followTime(api)
  const keeper = startStatusKeeper(api.service, () => undefined)
  const busy: Promise<void>[] = []
  for (let count = 0; count < busyAgents; count += 1)
    busy.push(keepBusy(stage, await createAgent(api, host, 'bench'), load))
  const seen: Seen[] = []
  for (let count = 0; count < revocations; count += 1)
    seen.push(await revokeOne(stage, await createAgent(api, host, 'bench')))
  load.isOver = true
  await Promise.all(busy)
  await keeper.stop()
  clearInterval(clock)
  return {
    revocations,
    introspectionP99Ms: p99(seen.map(({ introspection }) => introspection)),
    statusListP99Ms: p99(seen.map(({ statusList }) => statusList)),
    crlP99Ms: p99(seen.map(({ crl }) => crl)),
  }
}

/** The service's clock goes as the machine's does. */
function followTime({ clock }: TestApi): NodeJS.Timeout {
  let last = performance.now()
  return setInterval(() => {
    const passed = Math.floor(performance.now() - last)
    clock.advance(passed)
    last += passed
  }, pollMs)
}

async function keepBusy(
  { api, audience }: Stage,
  { key }: TestAgent,
  load: { readonly isOver: boolean },
): Promise<void> {
  while (!load.isOver) await fetchToken(api, key, { resource: audience })
}

interface Seen {
  readonly introspection: number
  readonly statusList: number
  readonly crl: number
}

async function revokeOne(stage: Stage, agent: TestAgent): Promise<Seen> {
  const { api, operator, audience } = stage
  const token = await fetchToken(api, agent.key, { resource: audience })
  const [certificate] = (await api.service.store.certificateStatus.listCertificates(100)).filter(
    ({ subjectId }) => subjectId === agent.id,
  )
  const serial = certificate?.serial ?? ''
  const begun = performance.now()
  const since = async (isTold: () => Promise<boolean>): Promise<number> => {
    while (!(await isTold())) await pause(pollMs)
    return performance.now() - begun
  }
  const looks = [
    since(async () => !(await isActive(stage, token))),
    since(async () => (await statusOf(stage, token)) === 1),
    since(async () => await isListed(stage, serial)),
  ] as const
  await call(api, operator, 'POST', `/v1/agents/${agent.id}/revoke`, { reason: 'bench' })
  const [introspection, statusList, crl] = await Promise.all(looks)
  return { introspection, statusList, crl }
}

async function isActive({ api: { service }, operator }: Stage, token: string): Promise<boolean> {
  const asker = await service.store.clients.findByKey(operator.key.jkt)
  if (asker === undefined) throw new TypeError('the operator is there')
  return (await introspectToken(service, asker, token)).active
}

async function statusOf({ api }: Stage, token: string): Promise<number> {
  const [, payload = ''] = token.split('.')
  const { status } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as {
    status: { status_list: { idx: number; uri: string } }
  }
  const { idx, uri } = status.status_list
  const { text } = await api.send({ method: 'GET', path: uri.slice(testIssuer.length) })
  const { json } = await api.send({ method: 'GET', path: '/oauth/jwks' })
  const keys = (json['keys'] as { kid: string; alg: string }[]).map(jwk => {
    return { kid: jwk.kid, key: importJwk(jwk as never), algorithm: tokenAlgorithm(jwk.alg) }
  })
  return verifyStatusListToken(text, { uri, keys, now: api.clock.now() }).list.at(idx)
}

async function isListed({ api }: Stage, serial: string): Promise<boolean> {
  const { id } = api.service.authorities.active()
  const answer = await api.send({ method: 'GET', path: `/crl/${id}/${shardOf(serial)}` })
  return answer.status === 200 && parseCertificateList(answer.bytes).revoked.has(serial)
}

function p99(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return Math.round(sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN)
}

/** One line for people. */
export function printRevocation(report: RevocationReport): void {
  const { introspectionP99Ms, statusListP99Ms, crlP99Ms } = report
  console.log(
    `${report.revocations} revocations, p99 until a relying party sees it: introspection ${introspectionP99Ms} ms, status list ${statusListP99Ms} ms, revocation list ${crlP99Ms} ms`,
  )
}
