import test from 'ava'
import { requireSuccession, revokedSerial } from '../../../src/core/ceremony/authority-list.ts'
import { commonName } from '../../../src/core/issuance/assembly.ts'
import {
  issueCertificateList,
  prepareCertificateList,
  type CertificateListRequest,
} from '../../../src/core/revocation/certificate-list.ts'
import { lintCertificateList } from '../../../src/core/revocation/list-lint.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../../src/core/x509/crl.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import { testAuthorityIssuance } from '../../support/test-issuance.ts'
import { signerOf } from '../issuance/authority-fixtures.ts'
import { openssl } from '../issuance/fixtures.ts'
import { day, makeAuthority, now, rootKey } from './fixtures.ts'

const { throwaway } = testAuthorityIssuance
const root = await makeAuthority(rootKey, rootKey, {})
const issuer = parseCertificate(root)
const otherKey = createTestKey('P-384')
const other = parseCertificate(
  await makeAuthority(otherKey, otherKey, { subject: commonName('Other') }),
)
const namesake = await makeAuthority(otherKey, otherKey, {})
const intermediate = await makeAuthority(createTestKey(), rootKey, {
  issuer: root,
  subject: commonName('Intermediate'),
  pathLength: 0,
})

const request: CertificateListRequest = {
  issuer: root,
  signatureAlgorithm: 'ES384',
  number: 2,
  url: undefined,
  thisUpdate: now,
  nextUpdate: now + 90 * day,
  revoked: [
    { serial: '41', revokedAt: now - day, reason: 'superseded' },
    { serial: '42', revokedAt: now, reason: 'cACompromise' },
  ],
  throwaway,
}

async function issue(changes: Partial<CertificateListRequest> = {}): Promise<Uint8Array> {
  return await issueCertificateList(
    prepareCertificateList({ ...request, ...changes }),
    signerOf(rootKey),
  )
}

test('a list of all that its issuer signed names no distribution point', async t => {
  const bytes = await issue()
  const list = parseCertificateList(bytes)
  t.is(list.scope, 'all')
  t.is(list.distributionPoints, undefined)
  const body = Buffer.from(bytes)
    .toString('base64')
    .match(/.{1,64}/g)
    ?.join('\n')
  const pem = `-----BEGIN X509 CRL-----\n${body}\n-----END X509 CRL-----\n`
  const text = openssl(t, { 'a.crl': pem }, 'crl', '-in', 'a.crl', '-noout', '-text')
  t.regex(text, /Version 2/)
  t.regex(text, /CRL Number:\s+2\n/)
  t.notRegex(text, /Issuing Distribution Point/)
  t.regex(
    text,
    /Serial Number: 42\s+Revocation Date: .*\s+CRL entry extensions:\s+X509v3 CRL Reason Code:\s+CA Compromise/,
  )
})

test('no certificate was revoked after the list was made', t => {
  const revoked = [{ serial: '41', revokedAt: now + 1000, reason: 'superseded' as const }]
  t.throws(() => prepareCertificateList({ ...request, revoked }), {
    code: 'crl-lint-revocation-date',
  })
  const [first] = request.revoked
  t.notThrows(() => prepareCertificateList({ ...request, revoked: first ? [first] : [] }))
})

test('a date or a scope that was not asked for is found in what was made', t => {
  const { tbs } = prepareCertificateList(request)
  const [first, second] = request.revoked
  if (first === undefined || second === undefined) throw new TypeError('two rows')
  const moved = [{ ...first, revokedAt: now - 2 * day }, second]
  t.throws(() => lintCertificateList(tbs, { ...request, revoked: moved }), {
    code: 'crl-lint-revocation-date',
  })
  t.throws(() => lintCertificateList(tbs, { ...request, url: 'https://a.example/crl' }), {
    code: 'crl-lint-scope',
  })
  const part = { ...request, url: 'https://a.example/crl' }
  t.throws(() => lintCertificateList(prepareCertificateList(part).tbs, request), {
    code: 'crl-lint-scope',
    message: /for which/,
  })
})

test('a list follows the one before it with a higher number and all that was revoked', async t => {
  const [first] = request.revoked
  const before = await issue({ number: 1, revoked: first ? [first] : [] })
  t.notThrows(() => requireSuccession(before, request, issuer))
  const same = await issue()
  t.throws(() => requireSuccession(same, request, issuer), { code: 'ceremony-list' })
  t.notThrows(() => requireSuccession(same, { ...request, number: 3 }, issuer))
})

test('refuses a list that lets a revoked certificate go, or goes back in time', async t => {
  const before = await issue({ number: 1 })
  const next = { ...request, revoked: request.revoked.slice(1) }
  t.throws(() => requireSuccession(before, next, issuer), { code: 'ceremony-list' })
  const earlier = { ...request, thisUpdate: now - 1000 }
  t.throws(() => requireSuccession(before, earlier, issuer), { code: 'ceremony-list' })
  t.notThrows(() => requireSuccession(before, { ...request, thisUpdate: now }, issuer))
})

test('refuses a list before it that is another issuer’s, or that the issuer did not sign', async t => {
  const before = await issue({ number: 1 })
  t.throws(() => requireSuccession(before, request, other), { code: 'ceremony-list' })
  t.throws(() => requireSuccession(before, request, parseCertificate(namesake)), {
    code: 'ceremony-list',
  })
  t.throws(() => requireSuccession(before.subarray(1), request, issuer), { code: 'crl-malformed' })
})

test('a certificate that the issuer signed is named by its serial number', t => {
  const serial = Buffer.from(parseCertificate(intermediate).fields.serialNumber).toString('hex')
  t.is(revokedSerial(intermediate, issuer), serial)
})

test('refuses to revoke what another issuer signed, whatever name it has', t => {
  t.throws(() => revokedSerial(intermediate, other), { code: 'ceremony-revoked' })
  t.throws(() => revokedSerial(namesake, issuer), { code: 'ceremony-revoked' })
})
