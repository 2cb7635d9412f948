import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import { encodePem } from '../../src/attester/pem.ts'
import { oddRequests } from '../core/ceremony/odd-requests.ts'
import {
  createCeremonyStage,
  dayFromNow,
  exampleOf,
  holdHierarchy,
  issuerOf,
  requestOf,
  type CeremonyStage,
} from './ceremony-stage.ts'

const codeOf = (ran: { readonly json: () => unknown }): string =>
  (ran.json() as { error: { code: string } }).error.code

/** A ceremony must refuse for this reason, and leave the room as it was. */
async function refuses(
  t: ExecutionContext,
  stage: CeremonyStage,
  code: string,
  script: Parameters<CeremonyStage['run']>[0],
): Promise<void> {
  const names = (): string[] =>
    readdirSync(stage.folder).filter(name => !name.startsWith('ceremony-'))
  const before = names()
  const ran = await stage.run(script)
  t.is(ran.status, 1)
  t.is(codeOf(ran), code, ran.stderr)
  t.notRegex(ran.stderr, /internal-error/)
  t.deepEqual(names(), before)
}

const root = exampleOf('root')
const text = JSON.stringify(root)
const crl = exampleOf('crl')
const cross = exampleOf('cross-certificate')
const intermediate = exampleOf('intermediate')

const malformed: readonly (readonly [string, string | Record<string, unknown>])[] = [
  ['nothing', ''],
  ['no JSON', '{'],
  ['a list', '[]'],
  ['null', 'null'],
  ['a member twice', text.replace('{', '{"pathLength":3,')],
  ['a member twice, escaped', text.replace('{', '{"pathLe\\u006egth":3,')],
  ['a member twice, inside', text.replace('"make"', '"place":"other.pem","make"')],
  ['an unknown kind', { ...root, ceremony: 'renewal' }],
  ['a kind that every object has', { ...root, ceremony: 'constructor' }],
  ['an unknown member', { ...root, comment: 'x' }],
  ['an unknown member inside', { ...root, key: { place: 'a', make: 'P-384', bits: 1 } }],
  ['no path length', { ...root, pathLength: undefined }],
  ['a path length of text', { ...root, pathLength: '1' }],
  ['another curve', { ...root, key: { place: 'a', make: 'P-521' } }],
  ['a trust domain in capitals', { ...root, trustDomain: 'Example.org' }],
  ['a name of 65 characters', { ...root, subject: 'a'.repeat(65) }],
  ['a name with a line end', { ...root, subject: 'a\nb' }],
  ['a day that is none', { ...root, notAfter: '2030-02-30T00:00:00Z' }],
  ['a time of another zone', { ...root, notAfter: '2030-01-01T00:00:00+01:00' }],
  ['an end before its beginning', { ...root, notAfter: dayFromNow(-2) }],
  ['a path that is no text', { ...root, certificate: 7 }],
  ['a PIN', { ...root, key: { place: 'pkcs11:object=a?module-path=/x.so&pin-value=1234' } }],
  ['a token without a module', { ...root, key: { place: 'pkcs11:object=a' } }],
  [
    'a passphrase for a token',
    { ...root, key: { place: 'pkcs11:object=a?module-path=/x.so', passphraseFile: 'p' } },
  ],
  [
    'an issuer’s key that is to be made',
    { ...crl, issuer: issuerOf('root.pem', { place: 'a', make: 'P-384' }) },
  ],
  ['a request and a key', { ...intermediate, key: { place: 'a', make: 'P-256' } }],
  ['neither request nor key', { ...intermediate, request: undefined }],
  ['a request that nobody reviewed', { ...intermediate, request: { file: 'issuing.csr' } }],
  ['constraints that permit nothing', { ...intermediate, permitted: {} }],
  ['a host that is a URL', { ...intermediate, permitted: { uriHosts: ['spiffe://example.org'] } }],
  ['a list at no address of the web', { ...intermediate, crlUrl: 'file:///root.crl' }],
  ['a certificate that nobody reviewed', { ...cross, certified: { file: 'next-root.pem' } }],
  ...[crl, cross, intermediate].map(
    script =>
      [
        `an issuer that nobody reviewed (${String(script['ceremony'])})`,
        { ...script, issuer: { certificate: 'root.pem', key: { place: 'root.key.pem' } } },
      ] as const,
  ),
  ['a list of number zero', { ...crl, number: 0 }],
  ['a list that says nothing of the one before', { ...crl, previous: undefined }],
  ['a list that ends before it begins', { ...crl, nextUpdate: dayFromNow(-1) }],
  ['a list for two years', { ...crl, nextUpdate: dayFromNow(700) }],
  [
    'a certificate by file and number',
    {
      ...crl,
      revoked: [
        { certificate: 'a', serial: '41', revokedAt: dayFromNow(-1), reason: 'superseded' },
      ],
    },
  ],
  [
    'a reason that can be taken back',
    { ...crl, revoked: [{ serial: '41', revokedAt: dayFromNow(-1), reason: 'certificateHold' }] },
  ],
]

for (const [what, script] of malformed) {
  test(`refuses a ceremony with ${what}`, async t => {
    const stage = await createCeremonyStage(t)
    await refuses(t, stage, 'ceremony-malformed', script)
  })
}

test('a PIN that is refused is not repeated', async t => {
  const stage = await createCeremonyStage(t)
  const place = 'pkcs11:object=a?module-path=/x.so&pin-value=246810'
  const ran = await stage.run({ ...root, key: { place } })
  t.notRegex(ran.stdout + ran.stderr, /246810/)
})

test('a ceremony overwrites nothing, not even its own', async t => {
  const stage = await createCeremonyStage(t)
  writeFileSync(stage.path('root.pem'), 'mine')
  await refuses(t, stage, 'ceremony-output', root)
  t.is(stage.read('root.pem'), 'mine')
  await refuses(t, stage, 'ceremony-output', { ...root, certificate: 'root.key.pem' })
  t.false(existsSync(stage.path('root.key.pem')))
  await stage.hold('root', { certificate: 'second.pem' })
  const key = stage.read('root.key.pem')
  await refuses(t, stage, 'ceremony-output', { ...root, certificate: 'third.pem' })
  t.is(stage.read('root.key.pem'), key)
  await refuses(t, stage, 'ceremony-output', {
    ...root,
    key: { place: 'root.key.pem' },
    certificate: 'no/folder.pem',
  })
})

test('odd requests are refused, each for its own reason, and the good one is certified', async t => {
  const stage = await createCeremonyStage(t)
  await stage.hold('root')
  await stage.hold('request')
  const good = requestOf(stage, 'issuing.csr')
  for (const [what, code, request] of oddRequests.filter(([, , bytes]) => bytes.length > 0)) {
    writeFileSync(stage.path('odd.csr'), encodePem('CERTIFICATE REQUEST', request))
    const odd = exampleOf('intermediate', { request: { ...good, file: 'odd.csr' } })
    const ran = await stage.run(odd)
    t.is(codeOf(ran), code, what)
  }
  t.false(existsSync(stage.path('issuing.pem')))
  await stage.hold('intermediate', { request: good })
})

test('refuses a request for another key than was reviewed, and a file of two', async t => {
  const stage = await createCeremonyStage(t)
  await stage.hold('root')
  await stage.hold('request')
  await stage.hold('request', { key: { place: 'b.key.pem', make: 'P-256' }, request: 'b.csr' })
  const good = requestOf(stage, 'issuing.csr')
  await refuses(
    t,
    stage,
    'ceremony-differs',
    exampleOf('intermediate', { request: { ...good, file: 'b.csr' } }),
  )
  writeFileSync(stage.path('two.csr'), stage.read('issuing.csr') + stage.read('b.csr'))
  await refuses(
    t,
    stage,
    'file-unreadable',
    exampleOf('intermediate', { request: { ...good, file: 'two.csr' } }),
  )
})

test('refuses an issuer that may not issue, is of another trust domain, or whose key is not at hand', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  await stage.hold('request', { key: { place: 'c.key.pem', make: 'P-256' }, request: 'c.csr' })
  const base = { request: requestOf(stage, 'c.csr'), certificate: 'c.pem', chain: undefined }
  const below = (changes: Record<string, unknown>): Record<string, unknown> =>
    exampleOf('intermediate', { ...base, ...changes })
  const issuer = issuerOf('issuing.pem', { place: 'issuing.key.pem' })
  await refuses(t, stage, 'lint-path-length', below({ issuer }))
  await refuses(
    t,
    stage,
    'ceremony-issuer',
    below({ trustDomain: 'example.com', permitted: undefined }),
  )
  const swapped = issuerOf('root.pem', { place: 'issuing.key.pem' })
  await refuses(t, stage, 'ceremony-differs', below({ issuer: swapped }))
  const absent = issuerOf('root.pem', { place: 'nowhere.key.pem' })
  await refuses(t, stage, 'private-file-missing', below({ issuer: absent }))
  const nobody = issuerOf('nowhere.pem', { place: 'root.key.pem' })
  await refuses(t, stage, 'file-unreadable', below({ issuer: nobody }))
  await refuses(t, stage, 'lint-issuer-validity', below({ notAfter: dayFromNow(301) }))
  await refuses(
    t,
    stage,
    'ceremony-time',
    below({ notBefore: dayFromNow(-1), notAfter: dayFromNow(-0.1) }),
  )
  await refuses(
    t,
    stage,
    'lint-name-constraints',
    below({ permitted: { uriHosts: ['example.com'] } }),
  )
  await stage.hold('intermediate', base)
})

test('refuses to certify across what was not reviewed', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  const sha256 = 'ab'.repeat(32)
  const certified = { file: 'issuing.pem', sha256 }
  await refuses(t, stage, 'ceremony-differs', exampleOf('cross-certificate', { certified }))
})

test('a key of another kind is refused before anything is asked of it', async t => {
  const stage = await createCeremonyStage(t)
  for (const [name, ...algorithm] of [
    ['ed.pem', 'ed25519'],
    ['rsa.pem', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'],
  ] as const) {
    stage.openssl('genpkey', '-algorithm', ...algorithm, '-out', name)
    await refuses(t, stage, 'ceremony-key', { ...root, key: { place: name } })
  }
  writeFileSync(stage.path('text.pem'), readFileSync(new URL(import.meta.url)), { mode: 0o600 })
  await refuses(t, stage, 'key-malformed', { ...root, key: { place: 'text.pem' } })
})
