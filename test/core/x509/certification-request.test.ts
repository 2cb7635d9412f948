import test from 'ava'
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import * as der from '../../../src/core/der/writer.ts'
import {
  parseCertificationRequest,
  verifyCertificationRequest,
} from '../../../src/core/x509/certification-request.ts'
import { algorithms, es256, sealed, signPss } from './fixtures.ts'

interface Pair {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

const p256: Pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384: Pair = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const p521: Pair = generateKeyPairSync('ec', { namedCurve: 'P-521' })
const rsa: Pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const rsa1024: Pair = generateKeyPairSync('rsa', { modulusLength: 1024 })

const spkiOf = ({ publicKey }: Pair): Uint8Array =>
  publicKey.export({ format: 'der', type: 'spki' })

function information(key: Pair, attributes: Uint8Array = der.contextConstructed(0)): Uint8Array {
  return der.sequence(der.smallInteger(0), der.sequence(), spkiOf(key), attributes)
}

function request(key: Pair, identifier: Uint8Array, hash: string): Uint8Array {
  const signed = information(key)
  return sealed(signed, identifier, sign(hash, signed, key.privateKey))
}

const { identifier: es384 } = algorithms['ecdsa-with-SHA384']
const { identifier: rs256 } = algorithms.sha256WithRSAEncryption

const accepted = [
  ['P-256 with SHA-256', p256, request(p256, es256, 'sha256')],
  ['P-384 with SHA-384', p384, request(p384, es384, 'sha384')],
  ['RSA with SHA-256', rsa, request(rsa, rs256, 'sha256')],
] as const

for (const [what, key, bytes] of accepted) {
  test(`accepts a request of ${what}`, t => {
    const parsed = parseCertificationRequest(bytes)
    t.deepEqual(Buffer.from(parsed.subjectPublicKeyInfo), Buffer.from(spkiOf(key)))
    t.notThrows(() => verifyCertificationRequest(parsed, key.publicKey))
  })
}

test('accepts RSASSA-PSS whose salt is as long as its hash, and nothing else that is called so', t => {
  const pss = (saltLength: number): Uint8Array => {
    const hash = der.sequence(der.objectIdentifier('2.16.840.1.101.3.4.2.1'), Uint8Array.of(5, 0))
    const mask = der.sequence(der.objectIdentifier('1.2.840.113549.1.1.8'), hash)
    const parts = [hash, mask, der.smallInteger(saltLength)].map((part, n) =>
      der.contextConstructed(n, part),
    )
    return der.sequence(der.objectIdentifier('1.2.840.113549.1.1.10'), der.sequence(...parts))
  }
  const signed = information(rsa)
  const signature = signPss(signed, rsa.privateKey)
  const parsed = parseCertificationRequest(sealed(signed, pss(32), signature))
  t.notThrows(() => verifyCertificationRequest(parsed, rsa.publicKey))
  t.throws(() => parseCertificationRequest(sealed(signed, pss(20), signature)), {
    code: 'csr-algorithm',
  })
})

const mismatched = [
  ['P-256 with SHA-384', p256, request(p256, es384, 'sha384')],
  ['P-384 with SHA-256', p384, request(p384, es256, 'sha256')],
  ['P-521, which nobody issues for', p521, request(p521, es384, 'sha384')],
  ['RSA of 1024 bits', rsa1024, request(rsa1024, rs256, 'sha256')],
  ['RSA with SHA-1', rsa, request(rsa, algorithms.sha1WithRSAEncryption.identifier, 'sha1')],
  ['P-256 with SHA-1', p256, request(p256, algorithms['ecdsa-with-SHA1'].identifier, 'sha1')],
  ['P-256 that says RSA', p256, request(p256, rs256, 'sha256')],
  ['RSA that says P-256', rsa, request(rsa, es256, 'sha256')],
] as const

for (const [what, key, bytes] of mismatched) {
  test(`refuses a request of ${what}`, t => {
    const parsed = parseCertificationRequest(bytes)
    t.throws(() => verifyCertificationRequest(parsed, key.publicKey), { code: 'csr-algorithm' })
  })
}

test('refuses a request with an unknown algorithm', t => {
  const unknown = der.sequence(der.objectIdentifier('1.2.840.113549.1.1.4'), Uint8Array.of(5, 0))
  const bytes = sealed(information(p256), unknown, new Uint8Array(8))
  t.throws(() => parseCertificationRequest(bytes), { code: 'csr-algorithm' })
})

test('refuses a request that another key signed, or that was changed', t => {
  const other: Pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const bytes = request(p256, es256, 'sha256')
  const parsed = parseCertificationRequest(bytes)
  t.throws(() => verifyCertificationRequest(parsed, other.publicKey), { code: 'csr-signature' })
  const signed = information(other)
  const swapped = parseCertificationRequest(
    sealed(signed, es256, sign('sha256', information(p256), p256.privateKey)),
  )
  t.throws(() => verifyCertificationRequest(swapped, other.publicKey), { code: 'csr-signature' })
})

test('passes over the subject and over extension requests, whatever they ask for', async t => {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' } as const
  const keys = {
    publicKey: p256.publicKey.toCryptoKey(algorithm, true, ['verify']),
    privateKey: p256.privateKey.toCryptoKey(algorithm, true, ['sign']),
  } as unknown as CryptoKeyPair
  const other = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: 'CN=root of all',
      keys,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: [new x509.BasicConstraintsExtension(true, 9, true)],
      attributes: [new x509.ChallengePasswordAttribute('secret')],
    },
    globalThis.crypto,
  )
  const parsed = parseCertificationRequest(new Uint8Array(other.rawData))
  t.notThrows(() => verifyCertificationRequest(parsed, p256.publicKey))
  t.deepEqual(Object.keys(parsed).toSorted(), [
    'algorithm',
    'signature',
    'signed',
    'subjectPublicKeyInfo',
  ])
})

test('refuses trailing bytes, another version and absent attributes', t => {
  const bytes = request(p256, es256, 'sha256')
  const code = 'csr-malformed'
  t.throws(() => parseCertificationRequest(Buffer.concat([bytes, Uint8Array.of(0)])), { code })
  const versioned = der.sequence(
    der.smallInteger(1),
    der.sequence(),
    spkiOf(p256),
    der.contextConstructed(0),
  )
  t.throws(() => parseCertificationRequest(sealed(versioned, es256, new Uint8Array(8))), { code })
  const bare = der.sequence(der.smallInteger(0), der.sequence(), spkiOf(p256))
  t.throws(() => parseCertificationRequest(sealed(bare, es256, new Uint8Array(8))), { code })
  const trailing = der.sequence(
    der.smallInteger(0),
    der.sequence(),
    spkiOf(p256),
    der.contextConstructed(0),
    der.sequence(),
  )
  t.throws(() => parseCertificationRequest(sealed(trailing, es256, new Uint8Array(8))), { code })
})

test('any truncation is a coded refusal', t => {
  const bytes = request(p256, es256, 'sha256')
  for (let length = 0; length < bytes.length; length += 1) {
    t.throws(() => parseCertificationRequest(bytes.subarray(0, length)), { code: 'csr-malformed' })
  }
})
