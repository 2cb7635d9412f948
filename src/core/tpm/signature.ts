import { createPublicKey, verify, constants, type KeyObject } from 'node:crypto'
import { FormatError, hex } from '../bytes/format-error.ts'
import { parseAll } from '../bytes/reader.ts'
import { sized, u16 } from '../bytes/encode.ts'
import { isEcdsaSignature } from '../jose/ecdsa.ts'
import { curveOf, hashAlgorithm, TPM_ALG, type Curve } from './algorithm.ts'
import type { EccPublic, RsaPublic, TpmtPublic } from './public.ts'

/** A signature as a TPM gives it; `hash` is a TPM_ALG_ID. */
export type TpmtSignature =
  | {
      readonly algorithm: typeof TPM_ALG.RSASSA | typeof TPM_ALG.RSAPSS
      readonly hash: number
      readonly value: Uint8Array
    }
  | {
      readonly algorithm: typeof TPM_ALG.ECDSA
      readonly hash: number
      readonly r: Uint8Array
      readonly s: Uint8Array
    }

/**
 *     TPMT_SIGNATURE { sigAlg UINT16, TPMS_SIGNATURE_RSA { hash UINT16, sig TPM2B }
 *                                   | TPMS_SIGNATURE_ECC { hash UINT16, signatureR TPM2B, signatureS TPM2B } }
 *
 * @throws FormatError `structure-short`, `structure-trailing`, `structure-value`
 * @see TPM 2.0 Part 2 r01.59 §11.3.4 TPMT_SIGNATURE
 */
export function parseTpmtSignature(bytes: Uint8Array): TpmtSignature {
  return parseAll(bytes, reader => {
    const algorithm = reader.u16()
    if (algorithm === TPM_ALG.RSASSA || algorithm === TPM_ALG.RSAPSS) {
      return { algorithm, hash: reader.u16(), value: reader.sized(512) }
    }
    if (algorithm === TPM_ALG.ECDSA)
      return { algorithm, hash: reader.u16(), r: reader.sized(66), s: reader.sized(66) }
    throw new FormatError('structure-value', {
      expected: 'RSASSA, RSAPSS or ECDSA',
      found: hex(algorithm),
    })
  })
}

/** TPMT_SIGNATURE, the inverse of {@link parseTpmtSignature}. */
export function encodeTpmtSignature(signature: TpmtSignature): Uint8Array {
  const head = [u16(signature.algorithm), u16(signature.hash)]
  return signature.algorithm === TPM_ALG.ECDSA
    ? Buffer.concat([...head, sized(signature.r), sized(signature.s)])
    : Buffer.concat([...head, sized(signature.value)])
}

/**
 * An ECDSA signature at fixed width, r ‖ s, as JOSE and node:crypto take it; undefined where r or s is 0, not below
 * the order, or too long.
 */
export function fixedWidthSignature(
  signature: { readonly r: Uint8Array; readonly s: Uint8Array },
  curve: Curve,
): Uint8Array | undefined {
  const parts = [signature.r, signature.s].map(part => scalar(part, curve))
  const [r, s] = parts
  return r === undefined || s === undefined ? undefined : Buffer.concat([r, s])
}

function scalar(bytes: Uint8Array, curve: Curve): Uint8Array | undefined {
  const padded = padLeft(bytes, curve.coordinateLength)
  if (padded === undefined || padded.every(byte => byte === 0)) return undefined
  return Buffer.compare(padded, curve.order) < 0 ? padded : undefined
}

/** Leading zeros added or taken to the width; undefined where the number does not fit. */
export function padLeft(bytes: Uint8Array, width: number): Uint8Array | undefined {
  if (bytes.length === width) return bytes
  if (bytes.length > width) {
    const excess = bytes.length - width
    return bytes.subarray(0, excess).every(byte => byte === 0) ? bytes.subarray(excess) : undefined
  }
  const padded = new Uint8Array(width)
  padded.set(bytes, width - bytes.length)
  return padded
}

/**
 * The public key of an area as the runtime's object; undefined where the point is not on the curve, the curve is
 * not known, or the modulus is empty.
 */
export function keyObjectOf(area: TpmtPublic): KeyObject | undefined {
  try {
    return area.type === TPM_ALG.RSA ? rsaKey(area) : eccKey(area)
  } catch {
    return undefined
  }
}

function rsaKey(area: RsaPublic): KeyObject {
  const exponent = area.exponent === 0 ? 65_537 : area.exponent
  const e = Buffer.from(exponent.toString(16).padStart(8, '0'), 'hex')
  const n = Buffer.from(area.modulus)
  return createPublicKey({
    key: { kty: 'RSA', n: n.toString('base64url'), e: trimLeft(e).toString('base64url') },
    format: 'jwk',
  })
}

function trimLeft(bytes: Buffer): Buffer {
  const start = bytes.findIndex(byte => byte !== 0)
  return bytes.subarray(start < 0 ? bytes.length - 1 : start)
}

function eccKey(area: EccPublic): KeyObject | undefined {
  const curve = curveOf(area.curveId)
  if (curve === undefined) return undefined
  const [x, y] = [area.x, area.y].map(coordinate => padLeft(coordinate, curve.coordinateLength))
  if (x === undefined || y === undefined) return undefined
  const encode = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
  return createPublicKey({
    key: { kty: 'EC', crv: curve.name, x: encode(x), y: encode(y) },
    format: 'jwk',
  })
}

/**
 * Verifies a signature under a key whose public area names its scheme: algorithm and hash come from the key, the
 * signature must agree (verification A2, F7). False for everything else, whatever the combination (verification P5).
 *
 * @param key the runtime's object for `area`, imported by the caller once
 */
export function isSignedBy(
  area: TpmtPublic,
  key: KeyObject,
  message: Uint8Array,
  signature: TpmtSignature,
): boolean {
  const { scheme } = area
  if (
    scheme?.hash === undefined ||
    scheme.scheme !== signature.algorithm ||
    scheme.hash !== signature.hash
  )
    return false
  const hash = hashAlgorithm(scheme.hash)
  if (!hash.strong) return false
  if (signature.algorithm === TPM_ALG.ECDSA) {
    const curve = area.type === TPM_ALG.ECC ? curveOf(area.curveId) : undefined
    const fixed = curve === undefined ? undefined : fixedWidthSignature(signature, curve)
    return fixed !== undefined && isEcdsaSignature(hash.name, message, key, fixed)
  }
  if (area.type !== TPM_ALG.RSA || signature.value.length !== area.modulus.length) return false
  return verify(hash.name, message, { key, ...rsaPadding(signature.algorithm) }, signature.value)
}

/** A TPM takes the longest salt or one of digest size; the length is read from the signature (verification F7). */
function rsaPadding(algorithm: number): { padding: number; saltLength?: number } {
  return algorithm === TPM_ALG.RSASSA
    ? { padding: constants.RSA_PKCS1_PADDING }
    : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
}
