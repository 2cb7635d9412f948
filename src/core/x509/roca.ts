/**
 * Odd primes up to 353. The generator built the primes of keys of 992 bits and more on the product of these, and of
 * more for longer keys; these are enough to tell.
 */
const primes: readonly number[] = oddPrimes(353)

/** For each prime, which residues are powers of 65537: bit r is set for residue r. */
const fingerprints: readonly bigint[] = primes.map(powersOf65537)

function oddPrimes(limit: number): number[] {
  const found: number[] = []
  for (let n = 3; n <= limit; n += 2) if (found.every(prime => n % prime !== 0)) found.push(n)
  return found
}

function powersOf65537(prime: number): bigint {
  let bits = 0n
  let power = 1
  do {
    bits |= 1n << BigInt(power)
    power = (power * 65_537) % prime
  } while (power !== 1)
  return bits
}

/** Keys below 992 bits were built on primes up to 167 alone. */
const smallPrimes = primes.filter(prime => prime <= 167).length

/**
 * Whether an RSA modulus has the fingerprint of Infineon's RSALib (ROCA): its residues modulo small primes are all
 * powers of 65537. Every key of that generator has it; another has it by chance once in 2³⁰ or less.
 *
 * @param modulus big-endian
 * @see CVE-2017-15361; Nemec et al., "The Return of Coppersmith's Attack", CCS 2017, §2.2
 */
export function hasRocaFingerprint(modulus: Uint8Array): boolean {
  const count = modulus.length * 8 < 992 ? smallPrimes : primes.length
  for (let index = 0; index < count; index += 1) {
    const residue = residueOf(modulus, primes[index] ?? 3)
    if ((((fingerprints[index] ?? 0n) >> BigInt(residue)) & 1n) === 0n) return false
  }
  return true
}

function residueOf(number: Uint8Array, prime: number): number {
  let residue = 0
  for (const octet of number) residue = (residue * 256 + octet) % prime
  return residue
}
