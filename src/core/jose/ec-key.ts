import { createPublicKey, type KeyObject } from 'node:crypto'
import * as der from '../der/writer.ts'

const ecPublicKey = der.objectIdentifier('1.2.840.10045.2.1')

/** AlgorithmIdentifier of a key on each curve (RFC 5480 §2.1.1). */
const algorithmIdentifiers = {
  'P-256': der.sequence(ecPublicKey, der.objectIdentifier('1.2.840.10045.3.1.7')),
  'P-384': der.sequence(ecPublicKey, der.objectIdentifier('1.3.132.0.34')),
  'P-521': der.sequence(ecPublicKey, der.objectIdentifier('1.3.132.0.35')),
} as const

const uncompressed = Uint8Array.of(0x04)

/**
 * The DER SubjectPublicKeyInfo of a point, byte for byte as the runtime exports it.
 *
 * @param x and y at the full width of the curve; that the point lies on it is found by {@link importSpki}
 * @see RFC 5480 §2, SEC 1 §2.3.3
 */
export function encodeEcSpki(
  curve: keyof typeof algorithmIdentifiers,
  x: Uint8Array,
  y: Uint8Array,
): Uint8Array {
  const point = Buffer.concat([uncompressed, x, y])
  return der.sequence(algorithmIdentifiers[curve], der.bitString(point))
}

/**
 * The runtime's object for a DER SubjectPublicKeyInfo. As PEM, which is a text: for every other form `node:crypto` takes
 * an object, and to tell that from a key costs it more than the import itself.
 *
 * @throws Error of the runtime for bytes that are none, or a point that is not on its curve
 */
export function importSpki(spki: Uint8Array): KeyObject {
  const text = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength).toString('base64')
  return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${text}\n-----END PUBLIC KEY-----\n`)
}
