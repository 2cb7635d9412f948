import { X509Certificate } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import {
  activateAuthority,
  prepareAuthority,
  taintAuthority,
} from '../../src/services/authority-rotation.ts'
import { startTestApi, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call, createOperator, fetchToken } from '../support/test-caller.ts'
import { admitManufacturer, enrollHost, type TestHost } from '../support/test-host.ts'
import { establishSet } from '../support/authorization-activation.ts'
import { starterPolicies } from '../support/test-policies.ts'
import { certificateIdOf, renew } from '../support/test-renewal.ts'

const minute = 60_000

async function begin(t: ExecutionContext): Promise<{ api: TestApi; host: TestHost }> {
  const api = await startTestApi(t)
  return { api, host: await enrollHost(api, await admitManufacturer(api)) }
}

async function infoOf(api: TestApi, answer: TestAnswer): Promise<TestAnswer> {
  const path = `/v1/renewal-info/${certificateIdOf(answer)}`
  return await api.send({ method: 'GET', path, headers: [] })
}

/** The window, in milliseconds. */
function windowOf({ json }: TestAnswer): { start: number; end: number } {
  const { start, end } = json['suggestedWindow'] as { start: string; end: string }
  return { start: Date.parse(start), end: Date.parse(end) }
}

test('anybody who can name a certificate is told when to renew it, and when to ask again', async t => {
  const { api, host } = await begin(t)
  const info = await infoOf(api, host.enrolled)
  t.is(info.status, 200, info.text)
  t.is(info.headers['retry-after'], '300')
  const [leaf = ''] = host.enrolled.json['certificateChain'] as string[]
  const { validFrom, validTo } = new X509Certificate(leaf)
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  const { start, end } = windowOf(info)
  t.true(Math.abs(start - (from + ((to - from) * 2) / 3)) <= 1)
  t.true(Math.abs(end - (from + ((to - from) * 5) / 6)) <= 1)
  t.false('reason' in info.json)
})

test('what names no certificate of this service is refused', async t => {
  const { api } = await begin(t)
  const ask = async (id: string): Promise<TestAnswer> =>
    await api.send({ method: 'GET', path: `/v1/renewal-info/${id}`, headers: [] })
  t.like(await ask('AAAA.AAAA'), { status: 404, json: { code: 'serial-unknown' } })
  t.like(await ask('AAAA'), { status: 400, json: { code: 'certificate-id-malformed' } })
})

test('a policy that comes into force pulls the renewal forward, once', async t => {
  const { api, host } = await begin(t)
  api.clock.advance(10 * minute)
  const at = api.clock.now()
  const forbid =
    '@id("no") forbid (principal is Agent, action == Action::"issueCertificate", resource);'
  await establishSet(api, await createOperator(api), `${starterPolicies}\n${forbid}`)
  const info = await infoOf(api, host.enrolled)
  t.is(info.json['reason'], 'policy-changed')
  const { start, end } = windowOf(info)
  t.is(start, at)
  t.true(end < at + 6 * minute)
  api.clock.advance(minute)
  const token = await fetchToken(api, host.key)
  const replaces = certificateIdOf(host.enrolled)
  const renewed = await renew(api, { ...host, token }, { replaces })
  t.is(renewed.status, 201, renewed.text)
  t.false('reason' in (await infoOf(api, renewed)).json)
})

test('an authority that is left pulls the renewals below it forward, a tainted one at once', async t => {
  const { api, host } = await begin(t)
  const { service } = api
  const before = service.authorities.active().id
  const made = await prepareAuthority(service, 'test', { kind: 'root', reason: null })
  api.clock.advance(minute)
  const change = { isForced: true, reason: 'a test' }
  await activateAuthority(service, 'test', made.authority.id, change)
  const retired = await infoOf(api, host.enrolled)
  t.is(retired.json['reason'], 'authority-retired')
  t.is(windowOf(retired).start, api.clock.now())
  api.clock.advance(minute)
  await taintAuthority(service, 'test', before, 'a test')
  const tainted = await infoOf(api, host.enrolled)
  t.is(tainted.json['reason'], 'authority-tainted')
  t.is(windowOf(tainted).end, api.clock.now())
  const renewed = await renew(api, host, { replaces: certificateIdOf(host.enrolled) })
  t.false('reason' in (await infoOf(api, renewed)).json)
})

test('a certificate that fell is to be renewed at once', async t => {
  const { api, host } = await begin(t)
  const operator = await createOperator(api)
  api.clock.advance(minute)
  await call(api, operator, 'POST', `/v1/hosts/${host.id}/revoke`, { reason: 'a test' })
  const info = await infoOf(api, host.enrolled)
  t.is(info.json['reason'], 'revoked')
  t.true(windowOf(info).end <= api.clock.now())
})
