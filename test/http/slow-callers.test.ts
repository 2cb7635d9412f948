import { request as sendRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { revoke } from '../../src/services/revocation.ts'
import { createTestKey } from '../support/compact-jws.ts'
import { startTestApi, verifyTestLog, type TestApi } from '../support/test-api.ts'
import { createOperator, proofOf, type TestCaller } from '../support/test-caller.ts'

const path = '/v1/operators'

/** A request whose caller takes its time: the head is sent, the body is to follow. */
interface SlowRequest {
  finish(body: string): Promise<{ readonly status: number; readonly code: unknown }>
}

async function beginSlowly(
  api: TestApi,
  proof: string,
  { token }: TestCaller,
): Promise<SlowRequest> {
  const request: ClientRequest = sendRequest({
    port: api.port,
    host: '127.0.0.1',
    method: 'POST',
    path,
    headers: {
      Authorization: `DPoP ${token}`,
      DPoP: proof,
      'Content-Type': 'application/json',
      'Transfer-Encoding': 'chunked',
    },
  })
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  answered.catch(() => undefined)
  request.flushHeaders()
  request.write('{')
  await wait(200)
  return {
    finish: async body => {
      request.end(body.slice(1))
      const response = await answered
      const chunks: Buffer[] = []
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
      const json = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
      return { status: response.statusCode ?? 0, code: json['code'] }
    },
  }
}

function accomplice(): string {
  const { jwk } = createTestKey()
  return JSON.stringify({ name: 'accomplice', role: 'administrator', keyProtection: 'file', jwk })
}

test('who is revoked while the body of a request is under way does nothing more with it', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const proof = await proofOf(api, operator.key, { method: 'POST', path, token: operator.token })
  const slow = await beginSlowly(api, proof, operator)
  await revoke(api.service, 'service', { kind: 'operator', id: operator.id }, { text: 'left' })
  t.deepEqual(await slow.finish(accomplice()), { status: 403, code: 'operator-revoked' })
  const names = (await api.service.store.operators.list()).map(({ name }) => name)
  t.false(names.includes('accomplice'))
})

test('who is not revoked may take its time over a body', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const proof = await proofOf(api, operator.key, { method: 'POST', path, token: operator.token })
  const slow = await beginSlowly(api, proof, operator)
  t.like(await slow.finish(accomplice()), { status: 201 })
})

test('one proof before two slow bodies counts once, also when both come late', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const proof = await proofOf(api, operator.key, { method: 'POST', path, token: operator.token })
  const slow = await Promise.all([1, 2].map(async () => await beginSlowly(api, proof, operator)))
  const answers = await Promise.all(slow.map(async one => await one.finish(accomplice())))
  const codes = answers.map(({ status, code }) => code ?? status)
  t.deepEqual(new Set(codes), new Set([201, 'dpop-replayed']))
})

test('a body that comes after its proof has run out is too late', async t => {
  const api = await startTestApi(t)
  const operator = await createOperator(api)
  const proof = await proofOf(api, operator.key, { method: 'POST', path, token: operator.token })
  const slow = await Promise.all([1, 2].map(async () => await beginSlowly(api, proof, operator)))
  api.clock.advance(131_000)
  const [first, second] = slow
  t.deepEqual(await first?.finish(accomplice()), { status: 401, code: 'dpop-time' })
  await api.service.store.sweep(api.clock.now())
  t.deepEqual(await second?.finish(accomplice()), { status: 401, code: 'dpop-time' })
  const entries = await verifyTestLog(api.service)
  t.is(entries.filter(({ type }) => type === 'operator.registered').length, 1)
})
