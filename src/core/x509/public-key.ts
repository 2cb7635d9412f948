import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { DerError } from '../der/error.ts'
import { DerReader, parseDer, type DerElement } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { readObjectIdentifier, readOctetBits, readUnsigned } from '../der/value.ts'

/** The key of a SubjectPublicKeyInfo, in numbers. */
export type PublicKey =
  | {
      readonly kind: 'rsa'
      /** `rsaesOaep` is an encoding that some TPM makers gave RSA keys (verification E6). */
      readonly algorithm: 'rsaEncryption' | 'rsaesOaep'
      /** Big-endian, without leading zeros. */
      readonly modulus: Uint8Array
      readonly exponent: Uint8Array
    }
  | {
      readonly kind: 'ec'
      readonly curve: 'P-256' | 'P-384' | 'P-521'
      /** Fixed width. Whether the point lies on the curve shows when it becomes a {@link keyObjectOf}. */
      readonly x: Uint8Array
      readonly y: Uint8Array
    }
  | { readonly kind: 'unsupported'; readonly algorithm: string; readonly reason: string }

const curves: Readonly<Record<string, { name: 'P-256' | 'P-384' | 'P-521'; width: number }>> = {
  '1.2.840.10045.3.1.7': { name: 'P-256', width: 32 },
  '1.3.132.0.34': { name: 'P-384', width: 48 },
  '1.3.132.0.35': { name: 'P-521', width: 66 },
}

/**
 *     SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
 *
 * Reads the key itself, since the runtime knows neither rsaesOaep nor where this service draws the line. A key of
 * another kind, on another curve or compressed is `unsupported`, which is a value: the caller refuses it.
 *
 * @throws DerError for a key that is not encoded as its algorithm says
 * @see RFC 5280 §4.1.2.7, RFC 3279 §2.3, RFC 4055 §1.2, RFC 5480 §2
 */
export function parsePublicKey(encoded: Uint8Array): { publicKey: PublicKey; keyBits: Uint8Array } {
  return parseDer(encoded, TAG.sequence, reader => {
    const identifier = reader.within(TAG.sequence, readIdentifier)
    const keyBits = readOctetBits(reader)
    return { publicKey: readKey(identifier, keyBits), keyBits }
  })
}

function readKey({ algorithm, parameters }: Identifier, key: Uint8Array): PublicKey {
  if (algorithm === '1.2.840.113549.1.1.1') {
    if (parameters?.tag !== TAG.null || parameters.encoded.length !== 2) {
      throw new DerError('der-value', { expected: 'NULL parameters of an RSA key' })
    }
    return readRsaKey('rsaEncryption', key)
  }
  // Its parameters say how to encrypt; a challenge follows the template of the key, whatever they say.
  if (algorithm === '1.2.840.113549.1.1.7') return readRsaKey('rsaesOaep', key)
  if (algorithm === '1.2.840.10045.2.1') return readEcKey(parameters?.encoded, key)
  return { kind: 'unsupported', algorithm, reason: `a key of algorithm ${algorithm}` }
}

interface Identifier {
  readonly algorithm: string
  readonly parameters: DerElement | undefined
}

function readIdentifier(reader: DerReader): Identifier {
  const algorithm = readObjectIdentifier(reader)
  return { algorithm, parameters: reader.isAtEnd ? undefined : reader.element() }
}

function readRsaKey(algorithm: 'rsaEncryption' | 'rsaesOaep', key: Uint8Array): PublicKey {
  return parseDer(key, TAG.sequence, reader => {
    const modulus = readUnsigned(reader)
    return { kind: 'rsa', algorithm, modulus, exponent: readUnsigned(reader) }
  })
}

function readEcKey(parameters: Uint8Array | undefined, point: Uint8Array): PublicKey {
  const unsupported = (reason: string): PublicKey => ({
    kind: 'unsupported',
    algorithm: '1.2.840.10045.2.1',
    reason,
  })
  if (parameters?.[0] !== TAG.objectIdentifier) return unsupported('a curve that is not named')
  const oid = readObjectIdentifier(new DerReader(parameters))
  const curve = curves[oid]
  if (curve === undefined) return unsupported(`a key on the curve ${oid}`)
  if (point[0] !== 4) return unsupported('a point that is not in uncompressed form')
  if (point.length !== 1 + 2 * curve.width) {
    throw new DerError('der-value', { expected: `a point of ${curve.name}` })
  }
  const [x, y] = [point.subarray(1, 1 + curve.width), point.subarray(1 + curve.width)]
  return { kind: 'ec', curve: curve.name, x, y }
}

/** The runtime's object for a key; undefined where it is unsupported, its point is off the curve, or it is empty. */
export function keyObjectOf(key: PublicKey): KeyObject | undefined {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
  try {
    if (key.kind === 'rsa') {
      const jwk = { kty: 'RSA', n: text(key.modulus), e: text(key.exponent) }
      return createPublicKey({ key: jwk, format: 'jwk' })
    }
    if (key.kind === 'unsupported') return undefined
    const jwk = { kty: 'EC', crv: key.curve, x: text(key.x), y: text(key.y) }
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    return undefined
  }
}

/**
 * Why a key is too weak to rely on; undefined where it is not. RSA takes 2048 to 16384 bits in whole octets, an odd
 * modulus, and an odd exponent of 65537 or more that fits 32 bits.
 *
 * @see NIST SP 800-57 Part 1 r5 §5.6.1, NIST SP 800-56B r2 §6.2; verification E11
 */
export function weaknessOf(key: PublicKey): string | undefined {
  if (key.kind !== 'rsa') return undefined
  const bits = bitLength(key.modulus)
  if (bits < 2048) return `an RSA key of ${bits} bits`
  if (bits > 16_384 || bits % 8 !== 0) return `an RSA key of the odd length of ${bits} bits`
  if (((key.modulus.at(-1) ?? 0) & 1) === 0) return 'an even modulus'
  const exponent = Number(`0x${Buffer.from(key.exponent).toString('hex') || '0'}`)
  if (key.exponent.length > 4 || exponent < 65_537 || exponent % 2 === 0) {
    return 'an exponent that is even, below 65537 or beyond 32 bits'
  }
  return undefined
}

function bitLength(number: Uint8Array): number {
  const first = number.findIndex(octet => octet !== 0)
  return first < 0 ? 0 : (number.length - first) * 8 - (Math.clz32(number[first] ?? 0) - 24)
}

/**
 * Lower-case hex SHA-256 of a key as SubjectPublicKeyInfo in the one form that the runtime writes, so that the same
 * key has the same digest whatever its certificate calls it. Throws TypeError for a key that is no key.
 */
export function spkiSha256Of(key: PublicKey): string {
  const object = keyObjectOf(key)
  if (object === undefined) throw new TypeError('a key that was verified')
  return createHash('sha256')
    .update(object.export({ format: 'der', type: 'spki' }))
    .digest('hex')
}
