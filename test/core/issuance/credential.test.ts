import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import test from 'ava'
import {
  issueCredential,
  prepareCredential,
  PreparedCredential,
  type CredentialRequest,
} from '../../../src/core/issuance/credential.ts'
import { serialNumber } from '../../../src/core/issuance/assembly.ts'
import { prepareIssuer } from '../../../src/core/issuance/issuer.ts'
import { extensionIds } from '../../../src/core/issuance/extension-name.ts'
import {
  encodeAssuranceLevel,
  encodeAttestationResult,
} from '../../../src/core/issuance/attestation-extension.ts'
import { embeddedCrypto } from '../../../src/hsm/embedded-key.ts'
import { statusUrls } from '../../../src/core/revocation/location.ts'
import { createTestKey } from '../../support/compact-jws.ts'
import { testIssuance } from '../../support/test-issuance.ts'
import { createTestAuthority } from '../../support/test-authority.ts'
import { hour, now, openssl, pemOf, provenKeyOf, spiffeId, trustDomain } from './fixtures.ts'

const authority = await createTestAuthority(trustDomain, new Date(now))
const [issuer, root] = authority.chain
const key = createTestKey()
const { profiles, throwaway } = testIssuance
const attestation = {
  assurance: 'tpm-discrete',
  resultSha256: 'ab'.repeat(32),
  expiresAt: now + 1000 * hour,
} as const

const location = { base: 'https://assay.example', authorityId: 'ab' }

const request: CredentialRequest = {
  profile: profiles.agent,
  issuer,
  signatureAlgorithm: 'ES256',
  key: provenKeyOf(key),
  spiffeId,
  commonName: 'agent-1',
  serial: randomBytes(16),
  notBefore: now,
  notAfter: now + hour,
  attestation,
  statusOf: serial => statusUrls(location, serial),
}

async function issue(changes: Partial<CredentialRequest> = {}): Promise<Uint8Array> {
  const prepared = prepareCredential({ ...request, ...changes }, throwaway)
  return (await issueCredential(prepared, authority.signer)).certificate
}

/** The same certificate as another library assembles it. */
async function secondOpinion(notBefore: number, notAfter: number): Promise<x509.X509Certificate> {
  const spki = key.publicKey.export({ format: 'der', type: 'spki' })
  const serial = Buffer.from(serialNumber(request.serial)).toString('hex')
  const status = statusUrls(location, serial)
  const identifier = createHash('sha256').update(spki).digest().subarray(0, 20).toString('hex')
  return await x509.X509CertificateGenerator.create(
    {
      serialNumber: serial,
      subject: new x509.Name([{ CN: [{ utf8String: 'agent-1' }] }]),
      issuer: authority.issuing.certificate.subjectName,
      notBefore: new Date(notBefore),
      notAfter: new Date(notAfter),
      publicKey: new x509.PublicKey(spki),
      signingKey: authority.issuing.keys.privateKey,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        new x509.SubjectKeyIdentifierExtension(identifier),
        new x509.AuthorityKeyIdentifierExtension(
          Buffer.from(prepareIssuer(issuer).keyIdentifier).toString('hex'),
        ),
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: spiffeId }]),
        new x509.CRLDistributionPointsExtension([status.crl]),
        new x509.AuthorityInfoAccessExtension({ ocsp: status.ocsp, caIssuers: status.issuer }),
        new x509.Extension(
          extensionIds.assuranceLevel,
          false,
          Uint8Array.from(encodeAssuranceLevel(attestation)),
        ),
        new x509.Extension(
          extensionIds.attestationResult,
          false,
          Uint8Array.from(encodeAttestationResult(attestation)),
        ),
      ],
    },
    embeddedCrypto,
  )
}

test('what is signed has, byte for byte, the form that another library gives it', async t => {
  const prepared = prepareCredential(request, throwaway)
  const other = await secondOpinion(prepared.notBefore, prepared.notAfter)
  const parsed = new x509.X509Certificate(Uint8Array.from(await issue()))
  const tbs = (certificate: x509.X509Certificate): string =>
    Buffer.from(tbsOf(new Uint8Array(certificate.rawData))).toString('hex')
  t.is(tbs(parsed), tbs(other))
  t.is(Buffer.from(prepared.tbs).toString('hex'), tbs(other))
  t.is(prepared.tbsSha256, createHash('sha256').update(prepared.tbs).digest('hex'))
})

/** The first member of a certificate, complete. */
function tbsOf(certificate: Uint8Array): Uint8Array {
  const offset = 4
  const length = ((certificate[offset + 2] ?? 0) << 8) | (certificate[offset + 3] ?? 0)
  return certificate.subarray(offset, offset + 4 + length)
}

test('a certificate says who, by whom, for which key, and how long, and no more', async t => {
  const certificate = new x509.X509Certificate(Uint8Array.from(await issue()))
  t.is(certificate.subject, 'CN=agent-1')
  t.is(certificate.issuer, authority.issuing.certificate.subject)
  t.is(certificate.notAfter.getTime(), now + hour - 1000)
  t.is(certificate.notBefore.getTime(), now - 30_000)
  t.deepEqual(
    Array.from(certificate.extensions, ({ type, critical }) => [type, critical]),
    [
      ['2.5.29.19', true],
      ['2.5.29.15', true],
      ['2.5.29.37', false],
      ['2.5.29.14', false],
      ['2.5.29.35', false],
      ['2.5.29.17', false],
      ['2.5.29.31', false],
      ['1.3.6.1.5.5.7.1.1', false],
      [extensionIds.assuranceLevel, false],
      [extensionIds.attestationResult, false],
    ],
  )
  t.deepEqual(certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON(), [
    { type: 'url', value: spiffeId },
  ])
  t.false(certificate.getExtension(x509.BasicConstraintsExtension)?.ca)
  t.is(
    certificate.getExtension(x509.KeyUsagesExtension)?.usages,
    x509.KeyUsageFlags.digitalSignature,
  )
})

test('the key in the certificate is the key that was proven, and the credential names its digest', async t => {
  const credential = await issueCredential(prepareCredential(request, throwaway), authority.signer)
  const certificate = new X509Certificate(credential.certificate)
  t.true(certificate.publicKey.equals(key.publicKey))
  t.is(credential.x5t, createHash('sha256').update(credential.certificate).digest('base64url'))
  t.is(prepareCredential(request, throwaway).jkt, key.jkt)
})

test('openssl reads the certificate and verifies it for clients and servers below the root', async t => {
  const files = {
    'leaf.pem': pemOf(await issue({ profile: profiles.host })),
    'issuing.pem': pemOf(issuer),
    'root.pem': pemOf(root),
  }
  for (const purpose of ['sslclient', 'sslserver']) {
    const args = ['-x509_strict', '-purpose', purpose, '-attime', String(now / 1000)]
    const chain = ['-CAfile', 'root.pem', '-untrusted', 'issuing.pem', 'leaf.pem']
    t.regex(openssl(t, files, 'verify', ...args, ...chain), /leaf\.pem: OK/)
  }
  const text = openssl(t, files, 'x509', '-in', 'leaf.pem', '-noout', '-text')
  t.regex(text, /URI:spiffe:\/\/example\.org\/agent\/reader\/agent-1/)
  t.regex(text, /X509v3 Key Usage: critical\s+Digital Signature\n/)
  t.regex(text, /X509v3 Basic Constraints: critical\s+CA:FALSE\n/)
})

test('a certificate on P-384 verifies as well', async t => {
  const wide = createTestKey('P-384')
  const certificate = new X509Certificate(await issue({ key: provenKeyOf(wide) }))
  t.true(certificate.publicKey.equals(wide.publicKey))
  t.true(certificate.verify(new X509Certificate(issuer).publicKey))
})

test('no certificate outlasts its issuer or its profile, whatever was asked for', async t => {
  const end = Date.parse(new X509Certificate(issuer).validTo)
  const later = { notBefore: end - hour, notAfter: end + hour }
  const late = { ...attestation, expiresAt: end + 2 * hour }
  const certificate = new X509Certificate(await issue({ ...later, attestation: late }))
  t.is(Date.parse(certificate.validTo), end)
  const { notBefore, notAfter } = prepareCredential(
    { ...request, notAfter: now + 500 * hour },
    throwaway,
  )
  t.is(notAfter - notBefore + 1000, profiles.agent.maxLifetimeSeconds * 1000)
})

test('a certificate that would outlast its Attestation Result is not prepared, by one second', t => {
  const until = (expiresAt: number): (() => unknown) => {
    const changes = { notAfter: now + hour, attestation: { ...attestation, expiresAt } }
    return () => prepareCredential({ ...request, ...changes }, throwaway)
  }
  t.notThrows(until(now + hour))
  t.throws(until(now + hour - 1), { code: 'lint-attestation-validity' })
})

test('a certificate that would live for no time is the caller’s bug', t => {
  for (const changes of [
    { notAfter: now },
    { notAfter: now - hour },
    { notBefore: now + 400 * 24 * hour, notAfter: now + 500 * 24 * hour },
  ])
    t.throws(() => prepareCredential({ ...request, ...changes }, throwaway), {
      instanceOf: TypeError,
    })
})

test('a profile that is not of X509-SVID is not held against it', t => {
  const profile = { ...profiles.agent, x509Svid: false }
  t.notThrows(() => prepareCredential({ ...request, profile }, throwaway))
  const wrong = { ...request, spiffeId: 'spiffe://example.org' }
  t.notThrows(() => prepareCredential({ ...wrong, profile }, throwaway))
  t.throws(() => prepareCredential(wrong, throwaway), { code: 'lint-svid-path' })
})

test('a fraction of a second is cut off, never rounded up', t => {
  const prepared = prepareCredential({ ...request, notAfter: now + hour + 999 }, throwaway)
  t.is(prepared.notAfter, now + hour - 1000)
})

test('a serial number is positive, of 16 bytes, and keeps 126 random bits', t => {
  const seen = new Set<string>()
  for (let count = 0; count < 500; count += 1) {
    const random = randomBytes(16)
    const serial = serialNumber(random)
    t.true((serial[0] ?? 0) >= 0x40 && (serial[0] ?? 0) < 0x80)
    t.deepEqual(serial.subarray(1), Uint8Array.from(random.subarray(1)))
    seen.add(Buffer.from(serial).toString('hex'))
  }
  t.is(seen.size, 500)
  t.throws(() => serialNumber(randomBytes(15)), { instanceOf: TypeError })
  t.is(serialNumber(new Uint8Array(16))[0], 0x40)
})

test('the serial number on record is the one in the certificate', async t => {
  const prepared = prepareCredential(request, throwaway)
  const { certificate } = await issueCredential(prepared, authority.signer)
  t.is(new X509Certificate(certificate).serialNumber.toLowerCase(), prepared.serial)
})

test('what is issued was prepared here, for this signer, and is issued once', async t => {
  const prepared = prepareCredential(request, throwaway)
  const other = { algorithm: 'ES384', sign: () => new Uint8Array(96) } as const
  await t.throwsAsync(issueCredential(prepared, other), { instanceOf: TypeError })
  await t.notThrowsAsync(issueCredential(prepared, authority.signer))
  await t.throwsAsync(issueCredential(prepared, authority.signer), { instanceOf: TypeError })
  const bypass = PreparedCredential as unknown as new (...args: unknown[]) => unknown
  t.throws(() => new bypass(Symbol('prepared credential'), {}, new Uint8Array()), {
    instanceOf: TypeError,
  })
})
