import test from 'ava'
import { checkPrimeSync, generateKeyPairSync, randomBytes } from 'node:crypto'
import { hasRocaFingerprint } from '../../../src/core/x509/roca.ts'

/** The product of the primes up to a limit. */
function primorial(limit: number): bigint {
  let product = 1n
  for (let n = 2; n <= limit; n += 1) {
    if (Array.from({ length: n - 2 }, (_, i) => i + 2).every(d => n % d !== 0)) product *= BigInt(n)
  }
  return product
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square, rest] = [1n, base % modulus, exponent]
  for (; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

const random = (bytes: number): bigint => BigInt(`0x${randomBytes(bytes).toString('hex')}`)

/** A prime as the generator made them: k · M + (65537ᵃ mod M). */
function rocaPrime(bits: number, limit: number): bigint {
  const m = primorial(limit)
  const space = 2n ** BigInt(bits)
  for (;;) {
    const least = (space - space / 4n) / m
    const k = least + (random(32) % (space / 4n / m))
    const candidate = k * m + power(65_537n, random(32), m)
    if (checkPrimeSync(candidate)) return candidate
  }
}

function bytesOf(number: bigint): Uint8Array {
  const text = number.toString(16)
  return Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex')
}

test('recognises moduli of the generator, of 512, 1024 and 2048 bits', t => {
  for (const [bits, limit] of [
    [256, 167],
    [512, 353],
    [1024, 701],
  ] as const) {
    t.true(hasRocaFingerprint(bytesOf(rocaPrime(bits, limit) * rocaPrime(bits, limit))))
  }
})

test('a modulus one step away from one of the generator has no fingerprint', t => {
  const modulus = rocaPrime(1024, 701) * rocaPrime(1024, 701)
  t.false(hasRocaFingerprint(bytesOf(modulus + 2n)))
})

test('keys of other generators have no fingerprint', t => {
  for (let n = 0; n < 5; n += 1) {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const modulus = Buffer.from(publicKey.export({ format: 'jwk' }).n ?? '', 'base64url')
    t.false(hasRocaFingerprint(modulus))
  }
})

test('a number divisible by a small prime has no fingerprint, nor has an empty one', t => {
  t.false(hasRocaFingerprint(bytesOf(primorial(353) * 65_537n)))
  t.false(hasRocaFingerprint(new Uint8Array()))
})
