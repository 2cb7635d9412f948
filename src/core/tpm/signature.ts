import { createPublicKey, verify, constants, type KeyObject } from 'node:crypto'
import { FormatError, hex } from '../bytes/format-error.ts'
import { parseAll } from '../bytes/reader.ts'
import { encodeBase64url } from '../bytes/base64url.ts'
import { sized, u16, u32 } from '../bytes/encode.ts'
import { encodeEcSpki, importSpki } from '../jose/ec-key.ts'
import { isEcdsaSignature } from '../jose/ecdsa.ts'
import { curveOf, hashAlgorithms, TPM_ALG, type Curve } from './algorithm.ts'
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

function rsaKey(area: RsaPublic): KeyObject | undefined {
  if (area.modulus.every(byte => byte === 0)) return undefined
  const exponent = area.exponent === 0 ? 65_537 : area.exponent
  return createPublicKey({
    key: {
      kty: 'RSA',
      n: encodeBase64url(area.modulus),
      e: encodeBase64url(trimLeft(u32(exponent))),
    },
    format: 'jwk',
  })
}

function trimLeft(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(bytes.findIndex(byte => byte !== 0))
}

function eccKey(area: EccPublic): KeyObject | undefined {
  const point = pointOf(area)
  return point && importSpki(encodeEcSpki(point.curve.name, point.x, point.y))
}

/** A point at full width; undefined on a curve that is not known, or where a coordinate is too long for it. */
export function pointOf(
  area: EccPublic,
): { readonly curve: Curve; readonly x: Uint8Array; readonly y: Uint8Array } | undefined {
  const curve = curveOf(area.curveId)
  if (curve === undefined) return undefined
  const x = padLeft(area.x, curve.coordinateLength)
  const y = padLeft(area.y, curve.coordinateLength)
  return x === undefined || y === undefined ? undefined : { curve, x, y }
}

/** What of a public area decides how its signatures are verified. */
export type SigningArea =
  Pick<RsaPublic, 'type' | 'scheme' | 'modulus'> | Pick<EccPublic, 'type' | 'scheme' | 'curveId'>

/**
 * Verifies a signature under a key whose public area names its scheme: algorithm and hash come from the key, the
 * signature must agree (verification A2, F7). False for everything else, whatever the combination (verification P5).
 *
 * @param key the runtime's object for `area`, imported by the caller once
 */
export function isSignedBy(
  area: SigningArea,
  key: KeyObject,
  message: Uint8Array,
  signature: TpmtSignature,
): boolean {
  const hash = agreedHash(area, signature)
  if (hash === undefined) return false
  if (signature.algorithm === TPM_ALG.ECDSA) {
    const curve = area.type === TPM_ALG.ECC ? curveOf(area.curveId) : undefined
    const fixed = curve === undefined ? undefined : fixedWidthSignature(signature, curve)
    return fixed !== undefined && isEcdsaSignature(hash, message, key, fixed)
  }
  if (area.type !== TPM_ALG.RSA || signature.value.length !== area.modulus.length) return false
  return verify(hash, message, { key, ...rsaPadding(signature.algorithm) }, signature.value)
}

/** The strong hash that both key and signature name, beside the same algorithm; undefined where they do not. */
function agreedHash({ scheme }: SigningArea, signature: TpmtSignature): string | undefined {
  if (scheme?.scheme !== signature.algorithm || scheme.hash !== signature.hash) return undefined
  return hashAlgorithms.find(row => row.id === scheme.hash && row.strong)?.name
}

/** A TPM takes the longest salt or one of digest size; the length is read from the signature (verification F7). */
function rsaPadding(algorithm: number): { padding: number; saltLength?: number } {
  return algorithm === TPM_ALG.RSASSA
    ? { padding: constants.RSA_PKCS1_PADDING }
    : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
}
