import { sign, verify, type KeyObject } from 'node:crypto'

// `node:crypto` takes r ‖ s as well (`dsaEncoding: 'ieee-p1363'`), by an options object beside the key. To tell that
// object from a key costs it two exceptions, a third of a signature: so it gets the bare key, and DER.

/**
 * An ECDSA signature as r ‖ s, both of full length (RFC 7518 §3.4), over the hash of a message, by a key on a curve up
 * to P-384.
 */
export function signEcdsa(
  hash: string,
  message: Uint8Array,
  key: KeyObject,
  coordinateLength: number,
): Buffer {
  const der = sign(hash, message, key)
  const signature = Buffer.alloc(2 * coordinateLength)
  // SEQUENCE { r INTEGER, s INTEGER } of fewer than 128 octets.
  const endOfR = placeInteger(der, 2, signature, coordinateLength)
  placeInteger(der, endOfR, signature, 2 * coordinateLength)
  return signature
}

/** Two coordinates of P-521. */
const longest = 132

/** Whether r ‖ s is the key's signature over the hash of a message; false for a length that no curve has. */
export function isEcdsaSignature(
  hash: string,
  message: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
): boolean {
  const { length } = signature
  if (length === 0 || length % 2 !== 0 || length > longest) return false
  return verify(hash, message, key, encodeEcdsaValue(signature))
}

/** r ‖ s, of at most 66 octets each, as DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3). */
export function encodeEcdsaValue(signature: Uint8Array): Uint8Array {
  const half = signature.length / 2
  const der = Buffer.allocUnsafe(signature.length + 9)
  // Room for the longer form of the length, which only P-521 takes.
  const endOfR = writeInteger(der, 3, signature, 0, half)
  const end = writeInteger(der, endOfR, signature, half, signature.length)
  der[2] = end - 3
  if (end - 3 < 0x80) {
    der[1] = 0x30
    return der.subarray(1, end)
  }
  der[0] = 0x30
  der[1] = 0x81
  return der.subarray(0, end)
}

/** Writes an INTEGER from big-endian octets and gives where it ends. */
function writeInteger(
  der: Buffer,
  offset: number,
  octets: Uint8Array,
  begin: number,
  end: number,
): number {
  let first = begin
  while (first < end - 1 && octets[first] === 0) first += 1
  const padding = (octets[first] ?? 0) >> 7
  der[offset] = 0x02
  der[offset + 1] = end - first + padding
  let at = offset + 2
  if (padding === 1) der[at++] = 0
  for (let from = first; from < end; from += 1) der[at++] = octets[from] ?? 0
  return at
}

/** Copies the INTEGER at `offset` to where it ends, right-aligned, and gives where the next one begins. */
function placeInteger(der: Uint8Array, offset: number, target: Buffer, targetEnd: number): number {
  const length = der[offset + 1] ?? 0
  const end = offset + 2 + length
  let at = targetEnd
  // A leading zero octet only says that the number is positive: there is no place for it, and none is needed.
  const lowest = targetEnd - target.length / 2
  for (let from = end - 1; from >= offset + 2 && at > lowest; from -= 1)
    target[--at] = der[from] ?? 0
  return end
}
