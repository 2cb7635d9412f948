import { createHmac, randomUUID } from 'node:crypto'
import test from 'ava'
import { jwtBearer } from '../../src/core/token/client-assertion.ts'
import { compactJws, createTestKey, segment, type TestKey } from '../support/compact-jws.ts'
import type { TestAnswer } from '../support/test-api.ts'
import { call, fetchToken, nonceOf } from '../support/test-caller.ts'
import { testIssuer } from '../support/test-service.ts'
import { ask, attestationOf, begin, nested, tokenPath, type Stage } from './oauth-stage.ts'

const attacker = createTestKey()

/** One JWS of each kind that an endpoint takes: how an honest one is made, and sent. */
interface Kind {
  readonly name: string
  readonly error: string
  readonly code: string
  /** What an algorithm is that the key is not for; a proof brings its key along, which then is no such key. */
  readonly algorithm: 'signature' | 'malformed'
  /** Header and claims of an honest one, and whose key signs it. */
  readonly honest: (stage: Stage) => Promise<{ header: object; claims: object; by: TestKey }>
  readonly send: (stage: Stage, jws: string) => Promise<TestAnswer>
}

const seconds = ({ api }: Stage): number => Math.floor(api.clock.now() / 1000)

const kinds: readonly Kind[] = [
  {
    name: 'a DPoP proof',
    error: 'invalid_dpop_proof',
    code: 'dpop',
    algorithm: 'malformed',
    honest: async stage => ({
      header: { typ: 'dpop+jwt', alg: 'ES256', jwk: stage.agent.key.jwk },
      claims: {
        jti: randomUUID(),
        htm: 'POST',
        htu: `${testIssuer}${tokenPath}`,
        iat: seconds(stage),
        nonce: await nonceOf(stage.api),
      },
      by: stage.agent.key,
    }),
    send: async (stage, jws) => await ask(stage, [['DPoP', jws]]),
  },
  {
    name: 'a client assertion',
    error: 'invalid_client',
    code: 'assertion',
    algorithm: 'signature',
    honest: async stage => ({
      header: { alg: 'ES256' },
      claims: {
        iss: stage.agent.clientId,
        sub: stage.agent.clientId,
        aud: testIssuer,
        jti: randomUUID(),
        exp: seconds(stage) + 60,
      },
      by: stage.agent.key,
    }),
    send: async (stage, jws) =>
      await ask(stage, [], { client_assertion_type: jwtBearer, client_assertion: jws }),
  },
  {
    name: 'the proof of a client attestation',
    error: 'invalid_client_attestation',
    code: 'client-attestation',
    algorithm: 'signature',
    honest: async stage => {
      const { json } = await stage.api.send({ method: 'POST', path: '/oauth/challenge' })
      const challenge = json['attestation_challenge']
      const claims = { aud: testIssuer, jti: randomUUID(), iat: seconds(stage), challenge }
      const header = { typ: 'oauth-client-attestation-pop+jwt', alg: 'ES256' }
      return { header, claims, by: stage.agent.key }
    },
    send: async (stage, jws) => {
      const attestation = ['OAuth-Client-Attestation', await attestationOf(stage)] as const
      return await ask(stage, [attestation, ['OAuth-Client-Attestation-PoP', jws]])
    },
  },
]

/** The public key as the secret of HMAC: what a verifier does that takes the algorithm from the header. */
function confused(header: object, claims: object, { publicKey }: TestKey): string {
  const input = `${segment(header)}.${segment(claims)}`
  const secret = publicKey.export({ format: 'pem', type: 'spki' })
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
}

type Make = (honest: { header: object; claims: object; by: TestKey }) => string

/** A member of an object twice, the second value last, as `JSON.stringify` never writes it. */
const twice = (value: object, name: string, last: unknown): string =>
  `${JSON.stringify(value).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(last)}}`

/** What is refused whatever the JWS is for: how it is made, and how the code ends. */
const forgeries: readonly (readonly [string, string, Make])[] = [
  [
    'of the algorithm none',
    'algorithm',
    ({ header, claims }) => `${segment({ ...header, alg: 'none' })}.${segment(claims)}.`,
  ],
  [
    'of the algorithm None and a signature',
    'algorithm',
    ({ header, claims, by }) => compactJws({ ...header, alg: 'None' }, claims, by),
  ],
  [
    'under HMAC with the public key',
    'algorithm',
    ({ header, claims, by }) => confused({ ...header, alg: 'HS256' }, claims, by),
  ],
  [
    'that names another curve’s algorithm',
    'algorithm',
    ({ header, claims, by }) => compactJws({ ...header, alg: 'ES384' }, claims, by),
  ],
  [
    'whose key stands behind a jku',
    'signature',
    ({ header, claims }) =>
      compactJws({ ...header, jku: 'https://evil.example/jwks', kid: 'a' }, claims, attacker),
  ],
  [
    'whose key stands in an x5c',
    'signature',
    ({ header, claims }) =>
      compactJws({ ...header, x5c: ['MIIB'], x5u: 'https://evil.example' }, claims, attacker),
  ],
  [
    'with a crit header',
    'malformed',
    ({ header, claims, by }) => compactJws({ ...header, crit: ['exp'], exp: 1 }, claims, by),
  ],
  [
    'with an unencoded payload',
    'malformed',
    ({ header, claims, by }) => compactJws({ ...header, b64: false, crit: ['b64'] }, claims, by),
  ],
  [
    'with a header member twice',
    'malformed',
    ({ header, claims, by }) => compactJws(twice(header, 'alg', 'ES256'), claims, by),
  ],
  [
    'with a claim twice',
    'malformed',
    ({ header, claims, by }) => compactJws(header, twice(claims, 'jti', randomUUID()), by),
  ],
  [
    'whose claims are nested beyond any use',
    'malformed',
    ({ header, claims, by }) =>
      compactJws(header, `${JSON.stringify(claims).slice(0, -1)},"x":${nested(2_500)}}`, by),
  ],
  ['whose claims are no object', 'malformed', ({ header, by }) => compactJws(header, '[]', by)],
  [
    'with a NUL byte in its payload',
    'malformed',
    ({ header, claims, by }) => compactJws(header, `${JSON.stringify(claims)}\u0000`, by),
  ],
  [
    'of four parts',
    'malformed',
    ({ header, claims, by }) => `${compactJws(header, claims, by)}.AA`,
  ],
  ['with padding', 'malformed', ({ header, claims, by }) => `${compactJws(header, claims, by)}==`],
  [
    'of more than 8,192 characters',
    'malformed',
    ({ header, claims, by }) => compactJws(header, { ...claims, x: 'x'.repeat(8_192) }, by),
  ],
]

for (const kind of kinds) {
  test(`${kind.name} that is forged or not in form is refused, each for its reason`, async t => {
    const stage = await begin(t)
    const honest = async (): Promise<TestAnswer> => {
      const { header, claims, by } = await kind.honest(stage)
      return await kind.send(stage, compactJws(header, claims, by))
    }
    t.is((await honest()).status, 200)
    for (const [name, end, make] of forgeries) {
      const answer = await kind.send(stage, make(await kind.honest(stage)))
      const facts = `${kind.name} ${name}: ${answer.text}`
      t.is(answer.json['error'], kind.error, facts)
      const reason = end === 'algorithm' ? kind.algorithm : end
      t.is(answer.json['code'], `${kind.code}-${reason}`, facts)
      t.is(answer.status, kind.error === 'invalid_client' ? 401 : 400, facts)
    }
    t.is((await honest()).status, 200)
    t.deepEqual(
      stage.api.reports.filter(({ level }) => level === 'error'),
      [],
    )
  })
}

test('a key that a header brings along is never the one that verifies', async t => {
  const stage = await begin(t)
  for (const kind of kinds.filter(({ name }) => name !== 'a DPoP proof')) {
    const { header, claims } = await kind.honest(stage)
    const answer = await kind.send(
      stage,
      compactJws({ ...header, jwk: attacker.jwk }, claims, attacker),
    )
    t.is(answer.json['code'], `${kind.code}-signature`, answer.text)
  }
  const { agent } = stage
  const token = await fetchToken(stage.api, agent.key, { resource: testIssuer })
  const [head = '', payload = ''] = token.split('.')
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const forged = compactJws({ ...header, jwk: attacker.jwk }, claims, attacker)
  const answer = await call(stage.api, { ...agent, token: forged }, 'POST', '/v1/svids/wit')
  t.is(answer.status, 401)
  t.is(answer.json['code'], 'token-signature')
})
