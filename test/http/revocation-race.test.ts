import test from 'ava'
import { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import type { TestAnswer, TestApi } from '../support/test-api.ts'
import { askForToken, call } from '../support/test-caller.ts'
import { askForChallenge, evidenceBody, postJson } from '../support/test-host.ts'
import { renewalBody, pathOf, type Holder } from '../support/test-renewal.ts'
import { introspect, statusOf } from '../support/token-standing.ts'
import { serialOf } from './certificate-fixtures.ts'
import { audience, beginParties, kinds, type Party } from './revocation-fixtures.ts'

const contenders = 100
const renewals = 20
/** What keeps hosts out that were never in, and what they are told afterwards. */
const barring: Readonly<Record<string, string>> = {
  anchor: 'path-issuer',
  firmware: 'firmware-revoked',
}

/** Requests of a holder for tokens and certificates, ready to be sent at once. */
async function requestsOf(api: TestApi, holder: Holder): Promise<(() => Promise<TestAnswer>)[]> {
  const bodies = await Promise.all(
    Array.from({ length: renewals }, async () => await renewalBody(api, holder)),
  )
  return [
    ...bodies.map(body => async () => {
      return await call(api, holder, 'POST', pathOf(holder, 'credentials'), body)
    }),
    ...Array.from({ length: contenders / 2 - renewals }, (_, index) => async () => {
      return await askForToken(api, holder.key, index % 2 === 0 ? { resource: audience } : {})
    }),
  ]
}

/** Those of a party that fall, with what they are about to ask for: a hundred requests in all. */
async function contendersOf(
  api: TestApi,
  { host, agent }: Party,
  isHosts: boolean,
): Promise<(() => Promise<TestAnswer>)[]> {
  const first = await requestsOf(api, agent)
  const second = await requestsOf(api, isHosts ? host : agent)
  return first.flatMap((request, index) => [request, second[index] ?? request])
}

for (const { kind, label, isHosts, target: targetOf } of kinds)
  test(`of a hundred tokens and certificates asked for while ${label} is taken back none counts`, async t => {
    const { api, operator, target } = await beginParties(t)
    const requests = await contendersOf(api, target, isHosts)
    t.is(requests.length, contenders)
    const body = { target: { kind, ...(await targetOf(target, api)) }, reason: 'race' }
    const revoke = async (): Promise<TestAnswer> =>
      await call(api, operator, 'POST', '/v1/revocations', body)
    const half = contenders / 2
    const all = [...requests.slice(0, half), revoke, ...requests.slice(half)]
    const answers = await Promise.all(all.map(async one => await one()))
    t.is(answers[half]?.status, 200, answers[half]?.text)
    for (const { status, text } of answers) t.true(status < 500, text)
    const tokens = answers.flatMap(({ json }) =>
      typeof json['access_token'] === 'string' ? [json['access_token']] : [],
    )
    for (const token of [...tokens, target.tokens.agent]) {
      t.is(await statusOf(api, token), 1)
      t.is((await introspect(api, operator, token)).json['active'], false)
    }
    const fallen = [target.agent.id, ...(isHosts ? [target.host.id] : [])]
    const certificates = (await api.service.store.certificateStatus.listCertificates(1_000)).filter(
      ({ subjectId }) => fallen.includes(subjectId),
    )
    for (const { status, serial } of certificates) t.is(status, 'revoked', serial)
    const known = new Set(certificates.map(({ serial }) => serial))
    t.true(known.has(target.serials.agent))
    for (const { json } of answers) {
      const [leaf] = (json['certificateChain'] ?? []) as string[]
      t.true(leaf === undefined || known.has(serialOf(leaf)))
    }
    t.is((await askForToken(api, target.agent.key)).status, 401)
  })

for (const { kind, target: targetOf } of kinds.filter(row => row.kind in barring))
  test(`of a hundred hosts that enrol while their ${kind} is revoked none stays`, async t => {
    const { api, operator, target, other } = await beginParties(t)
    const { manufacturer } = target.host.tpm
    const ready = await Promise.all(
      Array.from({ length: contenders }, async (_, index) => {
        const tpm = new EmulatedTpm({ manufacturer })
        const challenge = await askForChallenge(api, tpm, `late-${index}`)
        const { body } = evidenceBody(tpm, challenge)
        return { path: `/v1/enrollments/${challenge.id}/evidence`, body }
      }),
    )
    const act = { target: { kind, ...(await targetOf(target, api)) }, reason: 'race' }
    const answers = await Promise.all(
      ready.map(async ({ path, body }, index) => {
        if (index === contenders / 2) await call(api, operator, 'POST', '/v1/revocations', act)
        return await postJson(api, path, body)
      }),
    )
    for (const { status, text } of answers) t.true(status < 500, text)
    t.is(answers[contenders / 2]?.json['code'], barring[kind])
    const active = (await api.service.store.hosts.list()).filter(
      ({ status }) => status === 'active',
    )
    t.deepEqual(
      active.map(({ id }) => id),
      [other.host.id],
    )
  })
