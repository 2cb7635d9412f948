import { createPublicKey, type KeyObject } from 'node:crypto'

/**
 * A public key with the fingerprint of CVE-2017-15361: its modulus is a power of 65537 modulo the product of the small
 * primes that the generator built on. Nobody has its private key, and none is needed: a certificate is enough.
 *
 * @see Nemec et al., "The Return of Coppersmith's Attack", CCS 2017, §2.2
 */
export function rocaModulus(): KeyObject {
  const product = primesBelow(354).reduce((all, prime) => all * BigInt(prime), 1n)
  const residue = powerModulo(65_537n, 0x1234_5678n, product)
  const top = 1n << 2047n
  // The first number above 2^2047 with that residue; odd, as a modulus is.
  let modulus = top - (top % product) + product + residue
  if (modulus % 2n === 0n) modulus += product
  const n = Buffer.from(modulus.toString(16).padStart(512, '0'), 'hex')
  return createPublicKey({
    key: { kty: 'RSA', n: n.toString('base64url'), e: 'AQAB' },
    format: 'jwk',
  })
}

function primesBelow(limit: number): number[] {
  const found: number[] = []
  for (let n = 3; n < limit; n += 2) if (found.every(prime => n % prime !== 0)) found.push(n)
  return found
}

function powerModulo(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, square, rest] = [1n, base % modulus, exponent]
  for (; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}
