import { createECDH } from 'node:crypto'
import { isEcdsaSignature } from '../../src/core/jose/ecdsa.ts'
import { curves, TPM_ALG, type Curve } from '../../src/core/tpm/algorithm.ts'
import type { EccPublic } from '../../src/core/tpm/public.ts'
import { isSignedBy, keyObjectOf } from '../../src/core/tpm/signature.ts'
import { eccArea } from '../core/tpm/structures.ts'
import { octets, type Case } from './wycheproof-case.ts'

interface EcdsaGroup {
  readonly publicKey: { readonly uncompressed: string }
  readonly sha: string
}

interface EcdsaCase extends Case {
  readonly msg: string
  readonly sig: string
}

const hashes: Readonly<Record<string, { id: number; name: string }>> = {
  'SHA-256': { id: TPM_ALG.SHA256, name: 'sha256' },
  'SHA-384': { id: TPM_ALG.SHA384, name: 'sha384' },
}

/** r ‖ s under a key of a TPM and, as the same bytes, in a JWS: both must say the same. */
export function verifyCurveSignature(group: EcdsaGroup, { msg, sig }: EcdsaCase): boolean {
  const hash = hashes[group.sha]
  const point = octets(group.publicKey.uncompressed)
  const curve = curveOfPoint(point)
  if (hash === undefined || curve === undefined) throw new TypeError('a suite on other curves')
  const scheme = { scheme: TPM_ALG.ECDSA, hash: hash.id }
  const area = { ...areaOf(curve, point), scheme }
  const key = keyObjectOf(area)
  const [message, signature] = [octets(msg), octets(sig)]
  const length = curve.coordinateLength
  if (key === undefined || signature.length !== 2 * length) return false
  const [r, s] = [signature.subarray(0, length), signature.subarray(length)]
  const ofTpm = { algorithm: TPM_ALG.ECDSA, hash: hash.id, r, s } as const
  const isByTpm = isSignedBy(area, key, message, ofTpm)
  if (isByTpm !== isEcdsaSignature(hash.name, message, key, signature))
    throw new TypeError('a signature that is one to the TPM layer or to JOSE alone')
  return isByTpm
}

interface EcdhCase extends Case {
  readonly public: string
  readonly private: string
  readonly shared: string
}

/** The secret that a credential is protected by, with the endorsement key in the place of the public one. */
export function agreeOnSecret(_group: object, test: EcdhCase): boolean {
  const point = octets(test.public)
  const curve = curveOfPoint(point)
  // A TPM gives coordinates, so a compressed point has no form here.
  if (curve === undefined || keyObjectOf(areaOf(curve, point)) === undefined) return false
  const ecdh = createECDH(curve.openssl)
  ecdh.setPrivateKey(scalar(octets(test.private), curve))
  return ecdh.computeSecret(point).equals(octets(test.shared))
}

function scalar(bytes: Buffer, { coordinateLength }: Curve): Buffer {
  return Buffer.concat([new Uint8Array(coordinateLength), bytes]).subarray(-coordinateLength)
}

/** The curve of an uncompressed point, by its length. */
function curveOfPoint(point: Uint8Array): Curve | undefined {
  if (point[0] !== 4) return undefined
  return curves.find(({ coordinateLength }) => point.length === 1 + 2 * coordinateLength)
}

function areaOf({ id, coordinateLength }: Curve, point: Uint8Array): EccPublic {
  const [x, y] = [point.subarray(1, 1 + coordinateLength), point.subarray(1 + coordinateLength)]
  return { ...eccArea, symmetric: undefined, curveId: id, x, y }
}
