import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import { verifyEndorsementKey } from '../../../src/core/verifier/endorsement-key.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../../src/core/x509/crl.ts'
import { evidenceOf, maker, refusalOf, verify } from '../ek/fixtures.ts'
import { now } from '../x509/fixtures.ts'
import { entry, list, serialOf, type ListParts } from '../x509/revocation-fixtures.ts'

const issuerList = (edit: (parts: ListParts) => ListParts = parts => parts): Uint8Array =>
  list(
    parts => edit({ ...parts, issuer: maker.manufacturer.issuer.name }),
    maker.manufacturer.issuer,
  )
const rootList = (edit: (parts: ListParts) => ListParts = parts => parts): Uint8Array =>
  list(parts => edit({ ...parts, issuer: maker.manufacturer.root.name }), maker.manufacturer.root)
const sources = (
  ...lists: readonly Uint8Array[]
): { lists: ReturnType<typeof parseCertificateList>[]; responses: [] } => ({
  lists: lists.map(parseCertificateList),
  responses: [],
})

test('E9 what nobody said is recorded, and refused only where the policy asks for it', t => {
  const key = verify()
  t.deepEqual(
    key.revocation.map(({ outcome }) => outcome),
    ['unavailable', 'unavailable'],
  )
  const line = key.checks.find(({ code }) => code === 'ek-revocation')
  t.regex(line?.found ?? '', /unavailable/)
  const code = 'ek-revocation-unavailable'
  t.is(
    refusalOf(() => verify(undefined, { policy: { revocation: 'require' } })),
    code,
  )
  const byVendor = { revocationByVendor: { 'id:00001014': 'require' } } as const
  t.is(
    refusalOf(() => verify(undefined, { policy: byVendor })),
    code,
  )
  const others = { revocationByVendor: { 'id:49465800': 'require' } } as const
  t.is(
    refusalOf(() => verify(undefined, { policy: others })),
    undefined,
  )
})

test('E9 a path whose every certificate is cleared satisfies the policy', t => {
  const policy = { revocation: 'require' } as const
  const revocation = sources(issuerList(), rootList())
  t.is(
    refusalOf(() => verify(undefined, { policy, revocation })),
    undefined,
  )
  const half = sources(issuerList())
  t.is(
    refusalOf(() => verify(undefined, { policy, revocation: half })),
    'ek-revocation-unavailable',
  )
})

test('E9 refuses a revoked endorsement key and a revoked intermediate, whatever the policy', t => {
  const evidence = evidenceOf()
  const serial = serialOf(parseCertificate(evidence.certificate))
  const revokedKey = issuerList(parts => ({ ...parts, entries: [entry(serial, 1)] }))
  const run = (...lists: Uint8Array[]): string | undefined =>
    refusalOf(() => verifyEndorsementKey({ ...evidence, revocation: sources(...lists) }))
  t.is(run(revokedKey), 'ek-revocation')
  const issuer = parseCertificate(maker.manufacturer.issuer.certificate)
  const revokedIssuer = rootList(parts => ({ ...parts, entries: [entry(serialOf(issuer))] }))
  t.is(run(issuerList(), revokedIssuer), 'ek-revocation')
  t.is(
    run(
      issuerList(parts => ({ ...parts, entries: [entry(der.smallInteger(5))] })),
      rootList(),
    ),
    undefined,
  )
})

test('E9 where revocation is switched off nobody’s word is looked at, and the verdict says so', t => {
  const evidence = evidenceOf()
  const serial = serialOf(parseCertificate(evidence.certificate))
  const revocation = sources(issuerList(parts => ({ ...parts, entries: [entry(serial, 1)] })))
  const key = verifyEndorsementKey({ ...evidence, revocation, policy: { revocation: 'off' } })
  t.deepEqual(
    key.revocation.map(({ outcome }) => outcome),
    ['unavailable', 'unavailable'],
  )
  for (const code of ['ek-revocation', 'ek-revocation-unavailable'])
    t.is(key.checks.find(check => check.code === code)?.found, 'not looked at, by configuration')
})

test('E9 how old a list may be is the policy’s', t => {
  const old = (parts: ListParts): ListParts => ({ ...parts, thisUpdate: now - 3 * 86_400_000 })
  const revocation = sources(issuerList(old), rootList(old))
  const policy = (days: number) =>
    ({ revocation: 'require', revocationMaxAgeSeconds: days * 86_400 }) as const
  t.is(
    refusalOf(() => verify(undefined, { policy: policy(4), revocation })),
    undefined,
  )
  t.is(
    refusalOf(() => verify(undefined, { policy: policy(2), revocation })),
    'ek-revocation-unavailable',
  )
})
