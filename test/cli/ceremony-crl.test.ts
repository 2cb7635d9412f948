import test from 'ava'
import {
  codeOf,
  createCeremonyStage,
  dayFromNow,
  exampleOf,
  holdHierarchy,
  issuerOf,
  requestOf,
} from './ceremony-stage.ts'

test('with the root’s list openssl verifies an intermediate, and no more once it is revoked', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  await stage.hold('crl', { revoked: [] })
  const verify = ['verify', '-x509_strict', '-crl_check_all', '-CAfile', 'root.pem']
  t.regex(stage.openssl(...verify, '-CRLfile', 'root.crl', 'issuing.pem'), /OK/)
  await stage.hold('crl', { number: 2, previous: 'root.crl', list: 'root-2.crl' })
  const error = t.throws(() => stage.openssl(...verify, '-CRLfile', 'root-2.crl', 'issuing.pem'))
  t.regex(String((error as { stderr?: unknown }).stderr), /certificate revoked/)
})

test('openssl reads the list as it is meant, and its signature', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  const made = await stage.hold('crl', { number: 258 })
  const text = stage.openssl('crl', '-in', 'root.crl', '-noout', '-text', '-CAfile', 'root.pem')
  t.regex(text, /Version 2/)
  t.regex(text, /Issuer: CN ?= ?Example root 1\n/)
  t.regex(text, /CRL Number:\s+258\n/)
  t.regex(text, /X509v3 Authority Key Identifier/)
  t.regex(text, /CRL Reason Code:\s+CA Compromise/)
  t.true(text.toLowerCase().includes(`serial number: ${String(made['revoked'])}`))
})

test('a certificate is revoked by its number as people write it', async t => {
  const stage = await createCeremonyStage(t)
  await stage.hold('root')
  const entry = { revokedAt: dayFromNow(-1), reason: 'keyCompromise' }
  await stage.hold('crl', {
    revoked: [
      { ...entry, serial: 'ff01' },
      { ...entry, serial: '0a' },
    ],
  })
  const text = stage.openssl('crl', '-in', 'root.crl', '-noout', '-text')
  t.regex(text, /Serial Number: FF01\n/)
  t.regex(text, /Serial Number: 0A\n/)
})

test('a list that does not follow the one before it is refused', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  await stage.hold('crl', { number: 5 })
  const next = { number: 6, previous: 'root.crl', list: 'next.crl' }
  const refused = async (changes: Record<string, unknown>): Promise<string> =>
    codeOf(await stage.run(exampleOf('crl', { ...next, ...changes })))
  t.is(await refused({ number: 5 }), 'ceremony-list')
  t.is(await refused({ revoked: [] }), 'ceremony-list')
  t.is(await refused({ thisUpdate: dayFromNow(-0.6) }), 'ceremony-list')
  t.is(await refused({ previous: 'root.pem' }), 'file-unreadable')
  await stage.hold('crl', next)
})

test('a list of another issuer’s certificate, of the future, or twice of one is refused', async t => {
  const stage = await createCeremonyStage(t)
  await holdHierarchy(stage)
  await stage.hold('root', {
    subject: 'Example root 2',
    key: { place: 'b.key.pem', make: 'P-384' },
    certificate: 'b.pem',
  })
  const revoked = { certificate: 'issuing.pem', revokedAt: dayFromNow(-1), reason: 'superseded' }
  const refused = async (changes: Record<string, unknown>): Promise<string> =>
    codeOf(await stage.run(exampleOf('crl', { revoked: [revoked], ...changes })))
  const issuer = issuerOf('b.pem', { place: 'b.key.pem' })
  t.is(await refused({ issuer }), 'ceremony-revoked')
  t.is(await refused({ revoked: [revoked, revoked] }), 'crl-lint-entries')
  t.is(
    await refused({ revoked: [{ ...revoked, revokedAt: dayFromNow(0) }] }),
    'crl-lint-revocation-date',
  )
  const past = { thisUpdate: dayFromNow(-3), nextUpdate: dayFromNow(-2), revoked: [] }
  t.is(await refused(past), 'ceremony-time')
  await stage.hold('request', { key: { place: 'c.key.pem', make: 'P-256' }, request: 'c.csr' })
  await stage.hold('intermediate', {
    issuer,
    request: requestOf(stage, 'c.csr'),
    certificate: 'c.pem',
    chain: undefined,
  })
  t.is(await refused({ revoked: [{ ...revoked, certificate: 'c.pem' }] }), 'ceremony-revoked')
  await stage.hold('crl', { revoked: [revoked] })
})
