import { createHash } from 'node:crypto'
import test from 'ava'
import { TokenError } from '../../src/core/token/error.ts'
import { createNonce } from '../../src/core/token/nonce.ts'
import { ResourceError } from '../../src/resource/error.ts'
import { createReplayMemory } from '../../src/resource/replay-memory.ts'
import { createVerifier } from '../../src/resource/verifier.ts'
import { audience, createCaller, issuer, now, setUp } from './fixtures.ts'

test('lets in a token with a proof by its key, and gives its claims', async t => {
  const { verifier, caller, tokenFor, state } = setUp()
  const claims = await verifier.verify(caller.request(tokenFor()), { scopes: ['orders:read'] })
  t.is(claims.sub, 'spiffe://assay.example/agent/orders/1')
  t.deepEqual(
    state.fetched.map(url => new URL(url).pathname),
    ['/.well-known/oauth-authorization-server', '/oauth/jwks', '/status-lists/1'],
  )
})

test('works offline once keys and status list are there', async t => {
  const { verifier, caller, tokenFor, state } = setUp()
  await verifier.verify(caller.request(tokenFor()))
  state.isDown = true
  await t.notThrowsAsync(verifier.verify(caller.request(tokenFor())))
})

test('a token bound to a certificate needs that certificate, and takes the scheme Bearer', async t => {
  const { verifier, token } = setUp()
  const certificate = Buffer.from('certificate')
  const x5t = createHash('sha256').update(certificate).digest('base64url')
  const bound = token({ 'x5t#S256': x5t })
  const request = { method: 'GET', url: audience, headers: { authorization: `Bearer ${bound}` } }
  await t.notThrowsAsync(verifier.verify({ ...request, clientCertificate: certificate }))
  await t.notThrowsAsync(verifier.verify({ ...request, certificateThumbprint: x5t }))
  await t.throwsAsync(verifier.verify({ ...request, clientCertificate: Buffer.from('other') }), {
    code: 'token-certificate',
  })
  await t.throwsAsync(verifier.verify(request), { code: 'token-unbound' })
})

type Setting = ReturnType<typeof setUp>
const refusals: readonly [string, string, (setting: Setting) => unknown][] = [
  [
    'no authorization',
    'token-malformed',
    ({ verifier }) => verifier.verify({ method: 'GET', url: audience, headers: {} }),
  ],
  [
    'a stolen token without a proof',
    'dpop-missing',
    ({ verifier, tokenFor }) =>
      verifier.verify({
        method: 'GET',
        url: audience,
        headers: { authorization: `DPoP ${tokenFor()}` },
      }),
  ],
  [
    'a stolen token with another key',
    'dpop-key',
    ({ verifier, tokenFor }) => verifier.verify(createCaller().request(tokenFor())),
  ],
  [
    'a bound token as a bearer token',
    'token-unbound',
    ({ verifier, caller, tokenFor }) => {
      const request = caller.request(tokenFor())
      return verifier.verify({
        ...request,
        headers: {
          ...request.headers,
          authorization: String(request.headers['authorization']).replace('DPoP', 'Bearer'),
        },
      })
    },
  ],
  [
    'two proofs in one header',
    'dpop-malformed',
    ({ verifier, caller, tokenFor }) => {
      const request = caller.request(tokenFor())
      return verifier.verify({
        ...request,
        headers: {
          ...request.headers,
          dpop: `${String(request.headers['dpop'])}, other`,
        },
      })
    },
  ],
  [
    'two proofs in two headers',
    'dpop-malformed',
    ({ verifier, caller, tokenFor }) => {
      const request = caller.request(tokenFor())
      const proof = request.headers['dpop'] as string
      return verifier.verify({ ...request, headers: { ...request.headers, dpop: [proof, proof] } })
    },
  ],
  [
    'another method',
    'dpop-method',
    ({ verifier, caller, tokenFor }) =>
      verifier.verify(caller.request(tokenFor(), { htm: 'POST' })),
  ],
  [
    'another URL',
    'dpop-url',
    ({ verifier, caller, tokenFor }) =>
      verifier.verify(caller.request(tokenFor(), { htu: `${audience}/other` })),
  ],
  [
    'the hash of another token',
    'dpop-token-hash',
    ({ verifier, caller, tokenFor }) => verifier.verify(caller.request(tokenFor(), { ath: 'x' })),
  ],
  [
    'another audience',
    'token-audience',
    ({ verifier, caller, tokenFor }) =>
      verifier.verify(caller.request(tokenFor({ aud: 'https://other.example' }))),
  ],
  [
    'another issuer',
    'token-issuer',
    ({ verifier, caller, tokenFor }) =>
      verifier.verify(caller.request(tokenFor({ iss: 'https://other.example' }))),
  ],
  [
    'its time over',
    'token-expired',
    ({ verifier, caller, tokenFor }) =>
      verifier.verify(caller.request(tokenFor({ exp: now / 1000 }))),
  ],
  [
    'a missing scope',
    'token-scope',
    ({ verifier, caller, tokenFor }) =>
      verifier.verify(caller.request(tokenFor()), { scopes: ['orders:delete'] }),
  ],
  [
    'an index beyond the list',
    'status-unknown',
    ({ verifier, caller, tokenFor, listUri }) =>
      verifier.verify(
        caller.request(tokenFor({ status: { status_list: { idx: 64, uri: listUri } } })),
      ),
  ],
  [
    'a status list elsewhere',
    'status-unknown',
    ({ verifier, caller, tokenFor }) =>
      verifier.verify(
        caller.request(
          tokenFor({ status: { status_list: { idx: 1, uri: 'https://evil.example/1' } } }),
        ),
      ),
  ],
  [
    'no status',
    'status-unknown',
    ({ verifier, caller, tokenFor }) =>
      verifier.verify(caller.request(tokenFor({ status: undefined }))),
  ],
]

for (const [title, code, present] of refusals) {
  test(`refuses ${title}`, async t => {
    const setting = setUp()
    await t.throwsAsync(async () => await present(setting), { code })
    await t.notThrowsAsync(setting.verifier.verify(setting.caller.request(setting.tokenFor())))
  })
}

test('a proof counts once, whoever of a hundred comes first', async t => {
  const { verifier, caller, tokenFor } = setUp()
  const request = caller.request(tokenFor())
  const answers = await Promise.allSettled(
    Array.from({ length: 100 }, async () => await verifier.verify(request)),
  )
  t.is(answers.filter(({ status }) => status === 'fulfilled').length, 1)
  const refused = answers.flatMap(answer =>
    answer.status === 'rejected' ? [answer.reason as TokenError] : [],
  )
  t.true(refused.every(({ code }) => code === 'dpop-replayed'))
})

test('a request that is refused has not used its proof up', async t => {
  const { verifier, caller, tokenFor } = setUp()
  const request = caller.request(tokenFor())
  await t.throwsAsync(verifier.verify(request, { scopes: ['admin'] }), { code: 'token-scope' })
  await t.notThrowsAsync(verifier.verify(request))
})

test('a full memory refuses, and forgets only what is past', t => {
  const memory = createReplayMemory(2)
  t.true(memory.spend('a', 10, 0))
  t.true(memory.spend('b', 20, 0))
  t.is(
    t.throws(() => memory.spend('c', 30, 5), { instanceOf: ResourceError }).code,
    'replay-memory-full',
  )
  t.true(memory.spend('c', 30, 10))
  t.false(memory.spend('b', 20, 10))
})

test('a revoked token is refused once the list says so', async t => {
  const { verifier, caller, tokenFor, state, clock } = setUp()
  await verifier.verify(caller.request(tokenFor()))
  state.revoked.push(5)
  clock.now += 6_000
  await t.throwsAsync(verifier.verify(caller.request(tokenFor())), { code: 'token-revoked' })
})

test('without a fresh list nobody is let in, unless the options say so', async t => {
  for (const [status, code] of [
    ['required', 'status-unknown'],
    ['when-available', undefined],
    ['off', undefined],
  ] as const) {
    const { verifier, caller, tokenFor, state, listUri, fetchDocument: _ } = setUp({ status })
    await verifier.prepare()
    state.documents[listUri] = undefined
    state.isDown = true
    const outcome = verifier.verify(caller.request(tokenFor()))
    if (code === undefined) await t.notThrowsAsync(outcome)
    else await t.throwsAsync(outcome, { code })
  }
})

test('a list that lies is never taken for silence', async t => {
  const { verifier, caller, tokenFor, state, listUri } = setUp({ status: 'when-available' })
  state.documents[listUri] = 'no list'
  await t.throwsAsync(verifier.verify(caller.request(tokenFor())), { code: 'status-unknown' })
})

test('a new key is fetched when a token names it, and an unknown one costs the issuer nothing', async t => {
  const { verifier, caller, tokenFor, state, clock, fetchDocument: _ } = setUp()
  await verifier.verify(caller.request(tokenFor()))
  state.kid = 'two'
  clock.now += 11_000
  await t.notThrowsAsync(verifier.verify(caller.request(tokenFor())))
  const before = state.fetched.length
  state.kid = 'three'
  const forged = tokenFor()
  state.kid = 'two'
  await Promise.all(
    Array.from({ length: 20 }, async () => {
      await t.throwsAsync(verifier.verify(caller.request(forged)), { code: 'token-unknown-key' })
    }),
  )
  t.is(state.fetched.length, before)
})

const documents: readonly [string, string, string][] = [
  [
    'metadata of another issuer',
    '/.well-known/oauth-authorization-server',
    '{"issuer":"https://other.example"}',
  ],
  [
    'keys elsewhere',
    '/.well-known/oauth-authorization-server',
    JSON.stringify({ issuer, jwks_uri: 'https://evil.example/keys' }),
  ],
  ['no JSON', '/oauth/jwks', '<html>'],
  ['no object', '/oauth/jwks', '1'],
  ['no key set', '/oauth/jwks', '{}'],
]

for (const [title, path, text] of documents) {
  test(`refuses an issuer with ${title}`, async t => {
    const { verifier, caller, tokenFor, state } = setUp()
    state.documents[`${issuer}${path}`] = text
    await t.throwsAsync(verifier.verify(caller.request(tokenFor())), { code: 'issuer-answer' })
  })
}

test('a floor refuses weaker hardware, and callers without any', async t => {
  const { verifier, caller, tokenFor } = setUp({ assuranceFloor: 'tpm-firmware' })
  const withAssurance = (assurance?: unknown) =>
    caller.request(tokenFor({ assay: { kind: 'agent', assurance } }))
  for (const level of ['tpm-firmware', 'tpm-discrete', 'hsm-attested'])
    await t.notThrowsAsync(verifier.verify(withAssurance(level)))
  for (const level of ['tpm-virtual', 'emulated', 'hsm-declared', 'gold', undefined, 4])
    await t.throwsAsync(verifier.verify(withAssurance(level)), { code: 'assurance-too-low' })
})

test('asks for a nonce where it has a secret for them', async t => {
  const nonceSecret = new Uint8Array(32).fill(7)
  const { verifier, caller, tokenFor } = setUp({ nonceSecret })
  await t.throwsAsync(verifier.verify(caller.request(tokenFor())), { code: 'dpop-nonce' })
  t.is(verifier.nonce(), createNonce(nonceSecret, now))
  await t.notThrowsAsync(verifier.verify(caller.request(tokenFor(), { nonce: verifier.nonce() })))
})

test('options that cannot be meant are the caller’s bug', t => {
  for (const wrong of [
    { issuer: 'http://assay.example' },
    { issuer: 'assay' },
    { audience: 'https://orders.example/' },
    { nonceSecret: new Uint8Array(16) },
  ])
    t.throws(() => createVerifier({ issuer, audience, ...wrong }), { instanceOf: TypeError })
})
