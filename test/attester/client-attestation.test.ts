import test, { type ExecutionContext } from 'ava'
import type { AttestationPlace } from '../../src/attester/client-attestation.ts'
import type { ClientKey } from '../../src/attester/client-key.ts'
import { RemoteError } from '../../src/attester/remote-error.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { compactJws, createTestKey, type TestKey } from '../support/compact-jws.ts'
import { countingKey } from './counting-key.ts'
import { startLocalService, type Answer, type SeenRequest } from './local-service.ts'

const signer = createTestKey()
const lifetimeSeconds = 3600

function attest(key: Pick<TestKey, 'jwk'>, issuedAt: number, exp?: number): string {
  const iat = Math.floor(issuedAt / 1000)
  const claims = { iat, exp: exp ?? iat + lifetimeSeconds, cnf: { jwk: key.jwk } }
  return compactJws({ typ: 'oauth-client-attestation+jwt', alg: 'ES256' }, claims, signer)
}

interface Stage {
  readonly key: ClientKey & { readonly signatures: () => number }
  readonly client: ServiceClient
  readonly clock: { time: number; now(): number }
  /** What the place holds. */
  readonly kept: { text: string | undefined; reasons: string[] }
  readonly seen: readonly SeenRequest[]
  /** What the service answers next with, in the place of a token. */
  readonly refusals: Answer[]
  /** How often it attested. */
  readonly attested: () => number
  /** Headers of the token requests that had a proof. */
  readonly proven: () => readonly (string | undefined)[]
}

interface Given {
  readonly kept?: (key: ClientKey, now: number) => string
  readonly methods?: unknown
  readonly attest?: (key: ClientKey, now: number) => unknown
}

/** A service that answers as ours does, and a client that keeps its attestation in memory. */
async function begin(t: ExecutionContext, given: Given = {}): Promise<Stage> {
  const key = countingKey()
  const clock = { time: Date.now(), now: (): number => clock.time }
  const kept: Stage['kept'] = { text: given.kept?.(key, clock.time), reasons: [] }
  const refusals: Answer[] = []
  const seen: SeenRequest[] = []
  const methods = 'methods' in given ? given.methods : ['none', 'attest_jwt_client_auth_dpop']
  const attestation = given.attest ?? ((own, now) => attest(own, now))
  const answers: Readonly<Record<string, (request: SeenRequest) => Answer>> = {
    '/.well-known/oauth-authorization-server': () => ({
      body: { token_endpoint_auth_methods_supported: methods },
    }),
    '/v1/client-attestations': () => ({
      body: { clientAttestation: attestation(key, clock.time) },
    }),
    '/oauth/token': ({ headers: { dpop } }) => {
      const headers = { 'DPoP-Nonce': 'n-1' }
      if (dpop === undefined) return { status: 400, headers, body: { error: 'invalid_request' } }
      const body = { access_token: 'a.b.c', token_type: 'DPoP', expires_in: 300, scope: 'read' }
      return refusals.shift() ?? { headers, body }
    },
  }
  const answer = (request: SeenRequest): Answer => {
    seen.push(request)
    return answers[request.path]?.(request) ?? { status: 404 }
  }
  const service = await startLocalService({ answer })
  const place: AttestationPlace = {
    load: async () => kept.text,
    save: async text => void (kept.text = text),
    onProofAlone: reason => kept.reasons.push(reason),
  }
  const trust = { root: service.root }
  const { issuer } = service
  const client = ServiceClient.create({ issuer, trust, key, clock, attestation: place })
  t.teardown(async () => {
    await client.close()
    await service.stop()
  })
  return {
    key,
    client,
    clock,
    kept,
    seen,
    refusals,
    attested: () => seen.filter(({ path }) => path === '/v1/client-attestations').length,
    proven: () =>
      seen
        .filter(({ path, headers }) => path === '/oauth/token' && headers['dpop'] !== undefined)
        .map(({ headers }) => headers['oauth-client-attestation'] as string | undefined),
  }
}

const refusal = (error: string): Answer => ({ status: 400, body: { error, code: 'some-reason' } })

test('with a kept attestation a token costs one signature, the proof, and one request more for the nonce', async t => {
  const stage = await begin(t, { kept: attest })
  await stage.client.token({ resource: 'https://api.example' })
  t.is(stage.key.signatures(), 1)
  t.deepEqual(stage.proven(), [stage.kept.text])
  t.is(stage.seen.length, 2)
  await stage.client.token({ resource: 'https://api.example' })
  t.is(stage.key.signatures(), 2)
  t.is(stage.seen.length, 3)
})

test('without one it is fetched once and kept: from then on a token costs one signature', async t => {
  const stage = await begin(t)
  await stage.client.token()
  // The token for the service’s own API, the call for the attestation, the token.
  t.is(stage.key.signatures(), 3)
  const kept = stage.kept.text?.trim()
  t.truthy(kept)
  t.deepEqual(stage.proven(), [undefined, kept])
  await stage.client.token()
  t.is(stage.key.signatures(), 4)
  t.is(stage.attested(), 1)
  t.deepEqual(stage.kept.reasons, [])
})

test('it is renewed when two thirds of its life are over, and not before', async t => {
  const stage = await begin(t, { kept: attest })
  await stage.client.token()
  stage.clock.time += lifetimeSeconds * 660
  await stage.client.token()
  t.is(stage.attested(), 0)
  const before = stage.kept.text
  stage.clock.time += lifetimeSeconds * 10
  await stage.client.token()
  t.is(stage.attested(), 1)
  t.not(stage.kept.text, before)
  // The token that it took was fetched with the one before.
  t.deepEqual(stage.proven().slice(-2), [before, stage.kept.text?.trim()])
})

const useless: readonly (readonly [string, NonNullable<Given['kept']>])[] = [
  ['is no attestation', () => 'rubbish'],
  ['is for another key', (_key, now) => attest(createTestKey(), now)],
  ['names no key', (key, now) => attest({ ...key, jwk: undefined as never }, now)],
  ['has no end', (key, now) => attest(key, now, 'never' as never)],
  ['is over', (key, now) => attest(key, now - lifetimeSeconds * 1000)],
  ['is over in half a minute', (key, now) => attest(key, now, Math.floor(now / 1000) + 30)],
]
for (const [name, kept] of useless) {
  test(`a kept one that ${name} is replaced`, async t => {
    const stage = await begin(t, { kept })
    await stage.client.token()
    t.is(stage.attested(), 1)
    t.deepEqual(stage.proven(), [undefined, stage.kept.text?.trim()])
  })
}

for (const methods of [
  ['none', 'attest_jwt_client_auth'],
  undefined,
  'attest_jwt_client_auth_dpop',
]) {
  test(`a service whose metadata say ${JSON.stringify(methods)} gets the proof alone, and the reason is said once`, async t => {
    const stage = await begin(t, { methods })
    await stage.client.token()
    await stage.client.token()
    t.is(stage.key.signatures(), 2)
    t.deepEqual(stage.proven(), [undefined, undefined])
    t.is(stage.kept.reasons.length, 1)
    t.regex(stage.kept.reasons[0] ?? '', /attest_jwt_client_auth_dpop/)
  })
}

for (const error of ['use_fresh_attestation', 'invalid_client_attestation']) {
  test(`after ${error} one more is fetched and tried, once`, async t => {
    const stage = await begin(t, { kept: attest })
    const before = stage.kept.text
    stage.refusals.push(refusal(error))
    await stage.client.token()
    t.deepEqual(stage.proven(), [before, undefined, stage.kept.text?.trim()])
    stage.refusals.push(refusal(error), refusal(error))
    await t.throwsAsync(stage.client.token(), { instanceOf: RemoteError, code: 'some-reason' })
    t.is(stage.attested(), 2)
  })
}

test('any other refusal stands: nothing is tried in another way', async t => {
  const stage = await begin(t, { kept: attest })
  stage.refusals.push(refusal('invalid_client'))
  await t.throwsAsync(stage.client.token(), { instanceOf: RemoteError })
  t.is(stage.proven().length, 1)
  t.is(stage.attested(), 0)
})

test('the token for the service’s own API is fetched with a kept one, and by the proof alone when that is refused', async t => {
  const stage = await begin(t, { kept: attest })
  const before = stage.kept.text
  stage.refusals.push(refusal('use_fresh_attestation'))
  await stage.client.call('POST', '/v1/client-attestations', {})
  t.deepEqual(stage.proven(), [before, undefined])
})

test('what the service attests must be for this key', async t => {
  const stage = await begin(t, { attest: (_key, now) => attest(createTestKey(), now) })
  await t.throwsAsync(stage.client.token(), { code: 'service-answer' })
  t.is(stage.kept.text, undefined)
})

test('a hundred tokens at once have one attestation fetched', async t => {
  const stage = await begin(t)
  await Promise.all(Array.from({ length: 100 }, async () => await stage.client.token()))
  t.is(stage.attested(), 1)
  t.is(stage.key.signatures(), 102)
})

test('a renewal that was asked for is made, whatever is kept', async t => {
  const stage = await begin(t, { kept: attest })
  await stage.client.attest()
  t.is(stage.attested(), 1)
})
