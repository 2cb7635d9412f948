import test, { type ExecutionContext } from 'ava'
import { startTestApi, verifyTestLog, type TestAnswer, type TestApi } from '../support/test-api.ts'
import { call } from '../support/test-caller.ts'
import { admitManufacturer, enrollHost, type TestHost } from '../support/test-host.ts'
import { certificateIdOf, renew, renewalBody } from '../support/test-renewal.ts'

const contenders = 100

async function begin(t: ExecutionContext): Promise<{ api: TestApi; host: TestHost; path: string }> {
  const api = await startTestApi(t)
  const host = await enrollHost(api, await admitManufacturer(api))
  return { api, host, path: `/v1/hosts/${host.id}/credentials` }
}

async function contend(one: (index: number) => Promise<TestAnswer>): Promise<TestAnswer[]> {
  return await Promise.all(Array.from({ length: contenders }, (_, index) => one(index)))
}

/** One certificate was intended and issued besides that of the enrolment, and everybody got it. */
async function assertOne(
  t: ExecutionContext,
  api: TestApi,
  answers: readonly TestAnswer[],
): Promise<void> {
  const [first] = answers
  t.is(first?.status, 201, first?.text)
  t.is(new Set(answers.map(({ text }) => text)).size, 1)
  t.is(answers.filter(({ status }) => status === 201).length, contenders)
  const types = (await verifyTestLog(api.service)).map(({ type }) => type)
  for (const type of ['certificate.intended', 'certificate.issued'])
    t.is(types.filter(one => one === type).length, 2, type)
}

test('a renewal that is sent a hundred times at once gives one certificate, to all of them', async t => {
  const { api, host, path } = await begin(t)
  const body = await renewalBody(api, host, { replaces: certificateIdOf(host.enrolled) })
  await assertOne(t, api, await contend(async () => await call(api, host, 'POST', path, body)))
})

test('a hundred renewals of one certificate, each proven by itself, give one certificate', async t => {
  const { api, host, path } = await begin(t)
  const replaces = certificateIdOf(host.enrolled)
  const asking = Array.from(
    { length: contenders },
    async () => await renewalBody(api, host, { replaces }),
  )
  const bodies = await Promise.all(asking)
  const answers = await contend(async n => await call(api, host, 'POST', path, bodies[n]))
  await assertOne(t, api, answers)
})

test('a hundred renewals that name no certificate use up one challenge each, and one has one', async t => {
  const { api, host, path } = await begin(t)
  const body = await renewalBody(api, host)
  const answers = await contend(async () => await call(api, host, 'POST', path, body))
  const refused = answers.filter(({ json }) => json['code'] === 'challenge-used')
  t.is(refused.length, contenders - 1)
  t.is(answers.filter(({ status }) => status === 201).length, 1)
})

test('a signature that fails gives the renewal up, says so, and the next attempt has its answer', async t => {
  const { api, host } = await begin(t)
  const { signer } = api.service.authorities.active()
  const sign = signer.sign.bind(signer)
  Object.assign(signer, { sign: () => Promise.reject(new Error('a broken token')) })
  const replaces = certificateIdOf(host.enrolled)
  t.is((await renew(api, host, { replaces })).status, 500)
  Object.assign(signer, { sign })
  const again = await renew(api, host, { replaces })
  t.is(again.status, 201, again.text)
  const lines = await verifyTestLog(api.service)
  t.is(lines.filter(({ type }) => type === 'certificate.unknown').length, 1)
})

test('a renewal whose signature takes too long is given up for the next, and does not leave', async t => {
  const { api, host } = await begin(t)
  const { signer } = api.service.authorities.active()
  const sign = signer.sign.bind(signer)
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>()
  const { promise: begun, resolve: tell } = Promise.withResolvers<undefined>()
  const slowly = async (message: Uint8Array): Promise<Uint8Array> => {
    tell(undefined)
    await released
    return await sign(message)
  }
  Object.assign(signer, { sign: slowly })
  const replaces = certificateIdOf(host.enrolled)
  const slow = renew(api, host, { replaces })
  await begun
  Object.assign(signer, { sign })
  api.clock.advance(121_000)
  const next = await renew(api, host, { replaces })
  t.is(next.status, 201, next.text)
  release(undefined)
  t.false((await slow).text.includes('CERTIFICATE'))
  const types = (await verifyTestLog(api.service)).map(({ type }) => type)
  t.is(types.filter(type => type === 'certificate.unknown').length, 1)
})
