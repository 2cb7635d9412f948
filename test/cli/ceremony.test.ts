import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import test from 'ava'
import { decodePem } from '../../src/attester/pem.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import {
  codeOf,
  createCeremonyStage,
  dayFromNow,
  exampleOf,
  holdHierarchy,
  issuerOf,
  requestOf,
} from './ceremony-stage.ts'
import { runCli } from './run-cli.ts'

test('a root, a request and an intermediate are made one after the other, and openssl verifies them', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  t.regex(stage.openssl('verify', '-x509_strict', '-CAfile', 'root.pem', 'issuing.pem'), /OK/)
  const text = stage.openssl('x509', '-in', 'issuing.pem', '-noout', '-text')
  t.regex(text, /Permitted:\s+URI:example\.org/)
  t.regex(text, /CA:TRUE, pathlen:0/)
  t.regex(stage.openssl('x509', '-in', 'root.pem', '-noout', '-text'), /CA:TRUE, pathlen:2/)
  const chain = stage.read('chain.pem')
  t.is(chain, `${stage.read('issuing.pem')}${stage.read('root.pem')}`)
})

test('keys are for their owner alone, what is public is not', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  for (const name of ['root.key.pem', 'issuing.key.pem'])
    t.is(statSync(stage.path(name)).mode & 0o777, 0o600, name)
  for (const name of ['root.pem', 'issuing.csr', 'issuing.pem', 'chain.pem'])
    t.is(statSync(stage.path(name)).mode & 0o077, 0o044 & ~process.umask(), name)
})

test('what is printed is what was made, for people and for machines', async t => {
  const stage = await createCeremonyStage(t)
  const made = await stage.hold('root')
  const certificate = decodePem(stage.read('root.pem'), ['CERTIFICATE']) ?? new Uint8Array()
  const parsed = parseCertificate(certificate)
  t.like(made, {
    ceremony: 'root',
    check: false,
    certificateSha256: parsed.fingerprint,
    serial: Buffer.from(parsed.fields.serialNumber).toString('hex'),
    files: [stage.path('root.key.pem'), stage.path('root.pem')],
  })
  const fingerprint = stage.openssl('x509', '-in', 'root.pem', '-noout', '-fingerprint', '-sha256')
  t.is(
    fingerprint.trim().split('=')[1]?.replaceAll(':', '').toLowerCase(),
    made['certificateSha256'] as string,
  )
  writeFileSync(stage.path('next.json'), JSON.stringify(exampleOf('request')))
  const lines = await runCli(['ca', 'ceremony', stage.path('next.json')])
  t.regex(lines.stdout, /^key SHA-256: +[0-9a-f]{64}$/m)
  t.regex(lines.stdout, /^script SHA-256: +[0-9a-f]{64}$/m)
})

test('a rehearsal lints everything and leaves nothing behind', async t => {
  const stage = await createCeremonyStage(t)
  const before = (): string[] =>
    readdirSync(stage.folder).filter(name => !name.startsWith('ceremony-'))
  const checked = await stage.hold('root', {}, '--check')
  t.like(checked, { check: true, subject: 'Example root 1', files: [] })
  await stage.hold('request', {}, '--check')
  t.deepEqual(before(), [])
  await stage.hold('root')
  await stage.hold('request')
  const names = before()
  const below = { request: requestOf(stage, 'issuing.csr') }
  await stage.hold('intermediate', below, '--check')
  await stage.hold('crl', { revoked: [] }, '--check')
  t.deepEqual(before(), names)
  const long = await stage.run(
    exampleOf('intermediate', { ...below, notAfter: dayFromNow(301) }),
    '--check',
  )
  t.is(codeOf(long), 'lint-issuer-validity')
})

test('an intermediate of a key that is at hand, and of one that is made', async t => {
  const stage = await createCeremonyStage(t)
  await stage.hold('root')
  await stage.hold('intermediate', {
    request: undefined,
    key: { place: 'made.key.pem', make: 'P-384' },
    permitted: undefined,
    crlUrl: 'http://pki.example/root.crl',
  })
  t.regex(stage.openssl('verify', '-x509_strict', '-CAfile', 'root.pem', 'issuing.pem'), /OK/)
  t.regex(
    stage.openssl('x509', '-in', 'issuing.pem', '-noout', '-text'),
    /URI:http:\/\/pki\.example\/root\.crl/,
  )
  await stage.hold('intermediate', {
    request: undefined,
    key: { place: 'made.key.pem' },
    certificate: 'again.pem',
    chain: undefined,
  })
  const keyOf = (name: string): string => stage.openssl('x509', '-in', name, '-noout', '-pubkey')
  t.is(keyOf('again.pem'), keyOf('issuing.pem'))
})

test('a cross-certificate leads from one root to what stands below the other', async t => {
  const stage = await createCeremonyStage(t)
  await stage.hold('root')
  const next = await stage.hold('root', {
    subject: 'Example root 2',
    key: { place: 'next-root.key.pem', make: 'P-384' },
    certificate: 'next-root.pem',
  })
  await stage.hold('request')
  await stage.hold('intermediate', {
    request: requestOf(stage, 'issuing.csr'),
    issuer: issuerOf('next-root.pem', { place: 'next-root.key.pem' }),
  })
  const sha256 = next['certificateSha256']
  await stage.hold('cross-certificate', { certified: { file: 'next-root.pem', sha256 } })
  const cross = ['-untrusted', 'next-root-by-root.pem', 'issuing.pem']
  t.regex(stage.openssl('verify', '-x509_strict', '-CAfile', 'root.pem', ...cross), /OK/)
  t.throws(() => stage.openssl('verify', '-CAfile', 'root.pem', 'issuing.pem'))
})

test('a key under a passphrase is one to openssl as well, and opens for the next ceremony', async t => {
  const stage = await createCeremonyStage(t)
  writeFileSync(stage.path('passphrase'), 'correct horse battery\n', { mode: 0o600 })
  const place = 'root.key.pem'
  await stage.hold('root', { key: { place, make: 'P-384', passphraseFile: 'passphrase' } })
  t.regex(stage.read('root.key.pem'), /BEGIN ENCRYPTED PRIVATE KEY/)
  const asPublic = ['pkey', '-in', place, '-passin', 'file:passphrase', '-pubout']
  t.is(stage.openssl(...asPublic), stage.openssl('x509', '-in', 'root.pem', '-noout', '-pubkey'))
  const issuer = issuerOf('root.pem', { place, passphraseFile: 'passphrase' })
  await stage.hold('crl', { issuer, revoked: [] })
  const without = { issuer: issuerOf('root.pem', { place }), revoked: [], list: 'second.crl' }
  t.is(codeOf(await stage.run(exampleOf('crl', without))), 'key-passphrase-missing')
  t.false(existsSync(stage.path('second.crl')))
})
