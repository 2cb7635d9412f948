import test from 'ava'
import * as der from '../../../src/core/der/writer.ts'
import type { CertificateEdit } from '../../../swtpm/emulated/certificate.ts'
import { both } from '../x509/fixtures.ts'
import { oaepSpki, refusalOf, rsaKey, rsaSpki, usage, verify } from './fixtures.ts'

const rsaUsage = usage(0x20)

test('E3 an RSA key enciphers keys', t => {
  t.is(
    refusalOf(() => verify(undefined, {}, rsaKey)),
    undefined,
  )
  t.is(
    refusalOf(() => verify(usage(0x08), {}, rsaKey)),
    'ek-key-usage',
  )
})

test('E11 refuses an RSA key of 1024 bits, and one with a small exponent', t => {
  const changed = (spki: Uint8Array): CertificateEdit =>
    both(rsaUsage, parts => ({ ...parts, spki }))
  t.is(
    refusalOf(() => verify(changed(rsaSpki(1024)))),
    'ek-key-weak',
  )
  t.is(
    refusalOf(() => verify(changed(rsaSpki(2048, 3)))),
    'ek-key-weak',
  )
  // Strong enough, and then it is not the key of the public area.
  t.is(
    refusalOf(() => verify(changed(rsaSpki(2048)))),
    'ek-public-differs',
  )
})

test('E11 refuses an RSA key of the generator whose keys can be factored', t => {
  // A modulus that is a power of 65537 modulo every small prime; nobody needs its factors.
  const product = oddPrimorial(353)
  const least = 2n ** 2047n
  const modulus = 2n * product * (least / (2n * product) + 1n) + 65_537n
  const n = der.unsignedInteger(Buffer.from(modulus.toString(16).padStart(512, '0'), 'hex'))
  const key = der.sequence(n, der.unsignedInteger(Uint8Array.of(1, 0, 1)))
  const algorithm = der.sequence(der.objectIdentifier('1.2.840.113549.1.1.1'), Uint8Array.of(5, 0))
  const spki = der.sequence(algorithm, der.bitString(key))
  t.is(
    refusalOf(() => verify(both(rsaUsage, parts => ({ ...parts, spki })))),
    'ek-key-roca',
  )
})

function oddPrimorial(limit: number): bigint {
  const primes: number[] = []
  for (let n = 3; n <= limit; n += 2) if (primes.every(prime => n % prime !== 0)) primes.push(n)
  return primes.reduce((product, prime) => product * BigInt(prime), 1n)
}

test('E6 refuses an RSA key named rsaesOaep where no quirk allows it', t => {
  const edit: CertificateEdit = parts => ({ ...parts, spki: oaepSpki(rsaKey.publicKey) })
  t.is(
    refusalOf(() => verify(edit, {}, rsaKey)),
    'ek-key',
  )
})

test('A4 refuses a point off its curve and one in compressed form', t => {
  const ec = der.sequence(
    der.objectIdentifier('1.2.840.10045.2.1'),
    der.objectIdentifier('1.2.840.10045.3.1.7'),
  )
  const point = (first: number, length: number): CertificateEdit => {
    const bits = Buffer.concat([Uint8Array.of(first), Buffer.alloc(length, 1)])
    return parts => ({ ...parts, spki: der.sequence(ec, der.bitString(bits)) })
  }
  t.is(
    refusalOf(() => verify(point(4, 64))),
    'ek-key',
  )
  t.is(
    refusalOf(() => verify(point(2, 32))),
    'ek-key',
  )
})
