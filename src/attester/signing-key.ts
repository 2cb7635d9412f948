import { createHash, verify, type KeyObject } from 'node:crypto'
import type { Tpm, TpmHandle } from '../../native/index.ts'
import { u16 } from '../core/bytes/encode.ts'
import { FormatError } from '../core/bytes/format-error.ts'
import { algorithmOfCurve, type JwsAlgorithm } from '../core/jose/algorithm.ts'
import { exportJwk, type PublicJwk } from '../core/jose/jwk.ts'
import { curveOf, hashAlgorithms, TPM_ALG, type Curve } from '../core/tpm/algorithm.ts'
import { brokenAttributeRule, TPMA_OBJECT } from '../core/tpm/attributes.ts'
import { parseTpmtPublic, type EccPublic } from '../core/tpm/public.ts'
import { fixedWidthSignature, keyObjectOf, parseTpmtSignature } from '../core/tpm/signature.ts'
import { AttesterError } from './error.ts'

/** The public side of a key that a TPM signs with. */
export interface SigningKey {
  readonly area: EccPublic
  readonly curve: Curve
  readonly algorithm: JwsAlgorithm
  readonly key: KeyObject
  readonly jwk: PublicJwk
}

/** What a key must be so that a signature by it says that this TPM made it; verification F4. */
const attributes = {
  required: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'sign'],
  forbidden: ['restricted', 'decrypt'],
} as const

/**
 * Reads the public area of a key that is to sign here: born in a TPM, fixed to it, for signing alone, on a curve of
 * JSON Web Algorithms.
 *
 * @param bytes TPMT_PUBLIC
 * @throws AttesterError `tss2-malformed`, `tss2-exportable`, `tss2-algorithm`, `tss2-policy`
 */
export function parseSigningKey(bytes: Uint8Array): SigningKey {
  const area = parsePublic(bytes)
  const broken = brokenAttributeRule(area.objectAttributes, attributes)
  if (broken !== undefined) throw new AttesterError('tss2-exportable', { expected: broken })
  const curve = area.type === TPM_ALG.ECC ? curveOf(area.curveId) : undefined
  const algorithm = algorithmOfCurve(curve?.name)
  const key = keyObjectOf(area)
  if (
    area.type !== TPM_ALG.ECC ||
    curve === undefined ||
    algorithm === undefined ||
    key === undefined
  ) {
    throw new AttesterError('tss2-algorithm')
  }
  requireScheme(area, algorithm)
  if ((area.objectAttributes & TPMA_OBJECT.userWithAuth) === 0)
    throw new AttesterError('tss2-policy')
  return { area, curve, algorithm, key, jwk: exportJwk(key) }
}

function parsePublic(bytes: Uint8Array): ReturnType<typeof parseTpmtPublic> {
  try {
    return parseTpmtPublic(bytes)
  } catch (cause) {
    if (!(cause instanceof FormatError)) throw cause
    throw new AttesterError('tss2-malformed', { found: cause.message, cause })
  }
}

function requireScheme({ scheme }: EccPublic, algorithm: JwsAlgorithm): void {
  if (scheme === undefined) return
  if (scheme.scheme === TPM_ALG.ECDSA && scheme.hash === hashOf(algorithm)) return
  throw new AttesterError('tss2-algorithm', { expected: algorithm.name })
}

function hashOf(algorithm: JwsAlgorithm): number {
  return hashAlgorithms.find(({ name }) => name === algorithm.hash)?.id ?? TPM_ALG.NULL
}

/** How a loaded key is authorised. */
export interface SigningAuthorization {
  readonly auth?: Uint8Array | undefined
  /** A key to prove the authValue by on the bus. */
  readonly protection?: TpmHandle | undefined
}

/**
 * Signs a message with a loaded key, and sees that this key has signed: after a reset another object may lie at its
 * handle.
 *
 * @returns r ‖ s
 * @throws AttesterError `signature-wrong`; Tpm2Error
 * @see TPM 2.0 Part 3 r01.59 §20.2; RFC 7518 §3.4
 */
export async function signMessage(
  tpm: Tpm,
  handle: TpmHandle,
  { curve, algorithm, key }: SigningKey,
  message: Uint8Array,
  { auth, protection }: SigningAuthorization = {},
): Promise<Uint8Array> {
  const answer = await tpm.sign({
    key: handle,
    digest: createHash(algorithm.hash).update(message).digest(),
    scheme: Buffer.concat([u16(TPM_ALG.ECDSA), u16(hashOf(algorithm))]),
    ...(auth === undefined ? {} : { keyAuth: auth }),
    ...(protection === undefined ? {} : { protection }),
  })
  const parsed = parseTpmtSignature(answer)
  const signature =
    parsed.algorithm === TPM_ALG.ECDSA ? fixedWidthSignature(parsed, curve) : undefined
  const verifier = { key, dsaEncoding: 'ieee-p1363' } as const
  if (signature === undefined || !verify(algorithm.hash, message, verifier, signature)) {
    throw new AttesterError('signature-wrong')
  }
  return signature
}
