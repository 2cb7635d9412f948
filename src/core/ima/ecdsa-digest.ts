import type { KeyObject } from 'node:crypto'
import { parseDer } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { readUnsigned } from '../der/value.ts'

/** A short Weierstrass curve with a = -3 (SP 800-186 §3.2.1). */
interface Parameters {
  readonly p: bigint
  readonly n: bigint
  readonly gx: bigint
  readonly gy: bigint
}

const parameters: Readonly<Record<string, Parameters>> = {
  'P-256': {
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    gx: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
    gy: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
  },
  'P-384': {
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    gx: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
    gy: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
  },
}

/** Jacobian coordinates; z = 0 is the point at infinity. */
type Point = readonly [x: bigint, y: bigint, z: bigint]

/**
 * Verifies an ECDSA signature over a digest that was made elsewhere: the kernel signs digests of files whose content is
 * not here, and the runtime verifies signatures over content alone. All of it is public, so time may depend on it.
 *
 * @param key an EC key; on P-256 or P-384, false for any other curve
 * @param signature DER SEQUENCE of r and s; false for anything else
 * @see FIPS 186-5 §6.4.2
 */
export function isEcdsaSignatureOf(
  key: KeyObject,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { crv, x, y } = key.export({ format: 'jwk' }) as { crv: string; x: string; y: string }
  const curve = parameters[crv]
  const scalars = readSignature(signature)
  if (curve === undefined || scalars === undefined) return false
  const { n, p } = curve
  const [r, s] = scalars
  if (r === 0n || r >= n || s === 0n || s >= n) return false
  const inverse = power(s, n - 2n, n)
  const [u, v] = [(truncate(digest, n) * inverse) % n, (r * inverse) % n]
  const q: Point = [
    numberOf(Buffer.from(x, 'base64url')),
    numberOf(Buffer.from(y, 'base64url')),
    1n,
  ]
  const [rx, , rz] = sumOfMultiples(u, [curve.gx, curve.gy, 1n], v, q, p)
  if (rz === 0n) return false
  const zInverse = power(rz, p - 2n, p)
  return ((rx * zInverse * zInverse) % p) % n === r
}

function readSignature(signature: Uint8Array): [bigint, bigint] | undefined {
  try {
    return parseDer(signature, TAG.sequence, reader => {
      const r = readUnsigned(reader)
      return [numberOf(r), numberOf(readUnsigned(reader))]
    })
  } catch {
    return undefined
  }
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x0${Buffer.from(bytes).toString('hex')}`)
}

/** The leftmost bits of a digest that is longer than the order (FIPS 186-5 §6.4.2 step 2). */
function truncate(digest: Uint8Array, n: bigint): bigint {
  const excess = digest.length * 8 - n.toString(2).length
  return excess > 0 ? numberOf(digest) >> BigInt(excess) : numberOf(digest)
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let [result, factor] = [1n, base % modulus]
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * factor) % modulus
    factor = (factor * factor) % modulus
  }
  return result
}

/** u·g + v·q, both scalars read bit by bit together. */
function sumOfMultiples(u: bigint, g: Point, v: bigint, q: Point, p: bigint): Point {
  const both = add(g, q, p)
  const bits = Math.max(u.toString(2).length, v.toString(2).length)
  const [us, vs] = [u, v].map(scalar => scalar.toString(2).padStart(bits, '0')) as [string, string]
  let point: Point = [1n, 1n, 0n]
  for (let i = 0; i < bits; i += 1) {
    point = double(point, p)
    if (us[i] === '1') point = add(point, vs[i] === '1' ? both : g, p)
    else if (vs[i] === '1') point = add(point, q, p)
  }
  return point
}

function double([x, y, z]: Point, p: bigint): Point {
  if (z === 0n || y === 0n) return [1n, 1n, 0n]
  const zz = (z * z) % p
  const yy = (y * y) % p
  const s = (4n * x * yy) % p
  const m = (3n * (x - zz) * (x + zz)) % p
  const x3 = modulo(m * m - 2n * s, p)
  return [x3, modulo(m * (s - x3) - 8n * yy * yy, p), modulo(2n * y * z, p)]
}

function add(left: Point, right: Point, p: bigint): Point {
  const [x1, y1, z1] = left
  const [x2, y2, z2] = right
  if (z1 === 0n) return right
  if (z2 === 0n) return left
  const [zz1, zz2] = [(z1 * z1) % p, (z2 * z2) % p]
  const [u1, u2] = [(x1 * zz2) % p, (x2 * zz1) % p]
  const [s1, s2] = [(y1 * z2 * zz2) % p, (y2 * z1 * zz1) % p]
  const [h, r] = [modulo(u2 - u1, p), modulo(s2 - s1, p)]
  if (h === 0n) return r === 0n ? double(left, p) : [1n, 1n, 0n]
  const hh = (h * h) % p
  const hhh = (h * hh) % p
  const v = (u1 * hh) % p
  const x3 = modulo(r * r - hhh - 2n * v, p)
  return [x3, modulo(r * (v - x3) - s1 * hhh, p), modulo(h * z1 * z2, p)]
}

function modulo(value: bigint, p: bigint): bigint {
  const rest = value % p
  return rest < 0n ? rest + p : rest
}
