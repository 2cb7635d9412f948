import { createHash, createHmac } from 'node:crypto'
import { u32 } from '../bytes/encode.ts'
import type { HashAlgorithm } from './algorithm.ts'

/**
 * KDFa: SP 800-108 counter mode over HMAC. The counter is 32 bits from 1, the label ends in a zero byte, the length
 * in bits comes last.
 *
 * @param bits a multiple of 8
 * @see TPM 2.0 Part 1 r01.59 §11.4.10.2
 */
export function kdfa(
  hash: HashAlgorithm,
  key: Uint8Array,
  label: string,
  contextU: Uint8Array,
  contextV: Uint8Array,
  bits: number,
): Uint8Array {
  return expand(hash, bits, counter =>
    createHmac(hash.name, key)
      .update(u32(counter))
      .update(`${label}\0`)
      .update(contextU)
      .update(contextV)
      .update(u32(bits))
      .digest(),
  )
}

/**
 * KDFe: SP 800-56A one-step derivation from an ECDH secret.
 *
 * @param z x-coordinate of the shared point, at full width
 * @param partyU x-coordinate of the ephemeral key, @param partyV of the static key, both at full width
 * @see TPM 2.0 Part 1 r01.59 §11.4.10.3
 */
export function kdfe(
  hash: HashAlgorithm,
  z: Uint8Array,
  label: string,
  partyU: Uint8Array,
  partyV: Uint8Array,
  bits: number,
): Uint8Array {
  return expand(hash, bits, counter =>
    createHash(hash.name)
      .update(u32(counter))
      .update(z)
      .update(`${label}\0`)
      .update(partyU)
      .update(partyV)
      .digest(),
  )
}

function expand(
  hash: HashAlgorithm,
  bits: number,
  block: (counter: number) => Uint8Array,
): Uint8Array {
  const length = bits / 8
  const blocks = Array.from({ length: Math.ceil(length / hash.size) }, (_, index) =>
    block(index + 1),
  )
  return Buffer.concat(blocks).subarray(0, length)
}
