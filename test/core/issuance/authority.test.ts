import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import test from 'ava'
import { prepareIssuer } from '../../../src/core/issuance/issuer.ts'
import { createServiceCertificate } from '../../../src/core/issuance/service-certificate.ts'
import { testIssuance } from '../../support/test-issuance.ts'
import { createTestAuthority } from '../../support/test-authority.ts'
import * as fixtures from './lint-fixtures.ts'
import { hour, now, openssl, pemOf, trustDomain } from './fixtures.ts'

const authority = await createTestAuthority(trustDomain, new Date(now))
const [issuer, root] = authority.chain

test('the root signs itself, the root signs the issuing authority, and that signs leaves alone', t => {
  const { certificate: top } = authority.root
  const { certificate: below } = authority.issuing
  t.is(top.getExtension(x509.BasicConstraintsExtension)?.pathLength, 1)
  t.is(below.getExtension(x509.BasicConstraintsExtension)?.pathLength, 0)
  for (const certificate of [top, below]) {
    t.true(certificate.getExtension(x509.BasicConstraintsExtension)?.ca)
    const usage = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
    t.is(certificate.getExtension(x509.KeyUsagesExtension)?.usages, usage)
    t.deepEqual(certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON(), [
      { type: 'url', value: `spiffe://${trustDomain}` },
    ])
  }
  t.true(new X509Certificate(issuer).verify(new X509Certificate(root).publicKey))
  t.true(new X509Certificate(root).verify(new X509Certificate(root).publicKey))
})

test('an authority made this minute is accepted by a clock that is a little behind', t => {
  for (const certificate of [authority.root.certificate, authority.issuing.certificate]) {
    t.true(certificate.notBefore.getTime() <= now - 60_000)
    t.true(certificate.notAfter.getTime() > now + 360 * 24 * hour)
  }
})

test('openssl verifies the issuing authority below the root', t => {
  const files = { 'issuing.pem': pemOf(issuer), 'root.pem': pemOf(root) }
  const args = ['-x509_strict', '-attime', String(now / 1000), '-CAfile', 'root.pem', 'issuing.pem']
  t.regex(openssl(t, files, 'verify', ...args), /OK/)
})

test('an issuing certificate is read once for all that it signs', t => {
  t.is(prepareIssuer(issuer), prepareIssuer(issuer))
  t.not(prepareIssuer(Uint8Array.from(issuer)), prepareIssuer(issuer))
  t.is(prepareIssuer(issuer).notAfter, authority.issuing.certificate.notAfter.getTime())
})

test('a certificate that does not name its key cannot issue', t => {
  const bare = fixtures.certificate({ extensions: fixtures.extensions().slice(0, 3) })
  t.throws(() => prepareIssuer(bare), { instanceOf: TypeError })
})

const { publicKey: serviceKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

async function serviceCertificate(
  names: string[],
  notBefore = now,
  notAfter = now + hour,
): Promise<Uint8Array> {
  return await createServiceCertificate(
    {
      profile: testIssuance.profiles.service,
      throwaway: testIssuance.throwaway,
      issuer,
      spki: serviceKey.export({ format: 'der', type: 'spki' }),
      spiffeId: `spiffe://${trustDomain}/service/assay`,
      names,
      serial: randomBytes(16),
      notBefore,
      notAfter,
    },
    authority.signer,
  )
}

test('the service’s own certificate carries each name in the form that belongs to it', async t => {
  const names = [
    'assay.example',
    '127.0.0.1',
    '::1',
    '2001:db8::42',
    '::ffff:10.0.0.1',
    'fe80::1%eth0',
    '::',
  ]
  const der = await serviceCertificate(names)
  const certificate = new X509Certificate(der)
  t.true(certificate.publicKey.equals(serviceKey))
  t.is(certificate.checkHost('assay.example'), 'assay.example')
  t.is(certificate.checkHost('other.example'), undefined)
  for (const address of ['127.0.0.1', '::1', '2001:db8::42', '::ffff:a00:1', 'fe80::1', '::'])
    t.is(certificate.checkIP(address), address)
  const files = { 'leaf.pem': pemOf(der), 'issuing.pem': pemOf(issuer), 'root.pem': pemOf(root) }
  const args = [
    '-purpose',
    'sslserver',
    '-attime',
    String(now / 1000 + 60),
    '-verify_hostname',
    'assay.example',
  ]
  t.regex(
    openssl(
      t,
      files,
      'verify',
      ...args,
      '-CAfile',
      'root.pem',
      '-untrusted',
      'issuing.pem',
      'leaf.pem',
    ),
    /OK/,
  )
})

test('the service’s own certificate does not outlast its issuer either', async t => {
  const end = authority.issuing.certificate.notAfter.getTime()
  const certificate = new X509Certificate(
    await serviceCertificate(['a.example'], end - hour, end + hour),
  )
  t.is(Date.parse(certificate.validTo), end)
})
