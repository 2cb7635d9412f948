import test from 'ava'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import * as der from '../../../src/core/der/writer.ts'
import {
  issueCertificateList,
  prepareCertificateList,
  PreparedCertificateList,
  type CertificateListRequest,
} from '../../../src/core/revocation/certificate-list.ts'
import { lintCertificateList } from '../../../src/core/revocation/list-lint.ts'
import { CrlLintError, type CrlLintCode } from '../../../src/core/revocation/error.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../../src/core/x509/crl.ts'
import { listFlaw } from '../../../src/core/x509/revocation-signer.ts'
import { embeddedCrypto } from '../../../src/hsm/embedded-key.ts'
import { openssl, pemOf } from '../issuance/fixtures.ts'
import { testIssuance } from '../../support/test-issuance.ts'
import { authority, day, issuer, now } from './fixtures.ts'

const url = 'https://assay.example/crl/ab/3'
const request: CertificateListRequest = {
  issuer,
  signatureAlgorithm: 'ES256',
  number: 300,
  url,
  thisUpdate: now + 7,
  nextUpdate: now + day,
  revoked: [
    { serial: '40ff', revokedAt: now - day, reason: 'keyCompromise' },
    { serial: '41', revokedAt: now - day, reason: 'unspecified' },
    { serial: '42', revokedAt: now - day, reason: 'privilegeWithdrawn' },
  ],
  throwaway: testIssuance.throwaway,
}

async function issue(changes: Partial<CertificateListRequest> = {}): Promise<Uint8Array> {
  return await issueCertificateList(
    prepareCertificateList({ ...request, ...changes }),
    authority.signer,
  )
}

test('a list says which certificates are revoked, why, and of which it speaks', async t => {
  const list = parseCertificateList(await issue())
  t.deepEqual(
    [...list.revoked],
    [
      ['40ff', 1],
      ['41', 0],
      ['42', 9],
    ],
  )
  t.is(list.number, 300n)
  t.is(list.scope, 'end-entities')
  t.deepEqual(list.distributionPoints, [url])
  t.is(list.thisUpdate, now)
  t.is(list.nextUpdate, now + day)
  t.is(listFlaw(list, parseCertificate(issuer)), undefined)
})

test('openssl reads the list as it is meant', async t => {
  const text = openssl(
    t,
    { 'list.pem': pemOf(await issue(), 'X509 CRL') },
    'crl',
    '-in',
    'list.pem',
    '-noout',
    '-text',
  )
  t.regex(text, /Version 2/)
  t.regex(
    text,
    /Issuing Distribution Point: critical\s+Full Name:\s+URI:https:\/\/assay\.example\/crl\/ab\/3\s+Only User Certificates/,
  )
  t.regex(text, /CRL Number:\s+300/)
  t.regex(
    text,
    /Serial Number: 40FF\s+Revocation Date: .*\s+CRL entry extensions:\s+X509v3 CRL Reason Code:\s+Key Compromise\s+Serial Number: 41/,
  )
  t.regex(text, /Serial Number: 41\s+Revocation Date: [^\n]*\n\s+Serial Number: 42/)
})

test('another library verifies the signature of the list', async t => {
  const list = new x509.X509Crl(Uint8Array.from(await issue()))
  t.true(await list.verify({ publicKey: authority.issuing.keys.publicKey }, embeddedCrypto))
  t.is(list.findRevoked('40ff')?.reason, 1)
})

test('a list of nothing has no entries, and is one all the same', async t => {
  t.is(parseCertificateList(await issue({ revoked: [] })).revoked.size, 0)
})

test('a list holds more than 64 KiB', async t => {
  const revoked = Array.from({ length: 5000 }, (_, index) => ({
    serial: (0x40000000 + index).toString(16),
    revokedAt: now,
    reason: 'superseded' as const,
  }))
  t.is(parseCertificateList(await issue({ revoked })).revoked.size, 5000)
})

test('a list that is not as it should be is refused before it is signed', t => {
  const refuses = (code: CrlLintCode, changes: Partial<CertificateListRequest>): void => {
    const error = t.throws(() => prepareCertificateList({ ...request, ...changes }), {
      instanceOf: CrlLintError,
    })
    t.is(error.code, code)
  }
  const [first] = request.revoked
  if (first === undefined) throw new TypeError('an entry')
  refuses('crl-lint-form', { url: 'https://\u00ff' })
  refuses('crl-lint-time', { nextUpdate: now - 1 })
  refuses('crl-lint-number', { number: 0 })
  refuses('crl-lint-entries', { revoked: [first, first] })
  t.notThrows(() => prepareCertificateList(request))
})

test('what was made for another request does not pass the rules', t => {
  const { tbs } = prepareCertificateList(request)
  const refuses = (code: CrlLintCode, changes: Partial<CertificateListRequest>): void => {
    const error = t.throws(() => lintCertificateList(tbs, { ...request, ...changes }), {
      instanceOf: CrlLintError,
    })
    t.is(error.code, code)
  }
  refuses('crl-lint-issuer', { issuer: authority.chain[1] })
  refuses('crl-lint-time', { thisUpdate: now - 1000 })
  refuses('crl-lint-time', { nextUpdate: now + 2 * day })
  refuses('crl-lint-number', { number: 301 })
  refuses('crl-lint-scope', { url: `${url}0` })
  refuses('crl-lint-entries', { revoked: request.revoked.slice(1) })
  const error = t.throws(() => lintCertificateList(der.sequence(), request))
  t.is((error as CrlLintError).code, 'crl-lint-form')
})

test('what is signed was prepared here, for this signer', async t => {
  const other = { algorithm: 'ES384', sign: () => new Uint8Array(96) } as const
  await t.throwsAsync(issueCertificateList(prepareCertificateList(request), other), {
    instanceOf: TypeError,
  })
  const bypass = PreparedCertificateList as unknown as new (...args: unknown[]) => unknown
  t.throws(() => new bypass(Symbol('prepared list'), 'ES256', new Uint8Array()), {
    instanceOf: TypeError,
  })
})
