import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { curveOf, curves, hashAlgorithm, TPM_ALG } from '../../src/core/tpm/algorithm.ts'
import {
  encodeTpmtPublic,
  nameOf,
  parseTpmtPublic,
  qualifiedNameOf,
  type Hierarchy,
  type TpmtPublic,
} from '../../src/core/tpm/public.ts'
import { encodeTpmtSignature } from '../../src/core/tpm/signature.ts'

/** A key of an emulated TPM: an ordinary key in this process, with the public area that a TPM would give it. */
export interface EmulatedKey {
  readonly area: TpmtPublic
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array
  readonly name: Uint8Array
  readonly qualifiedName: Uint8Array
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** What stands above a key: another key's Qualified Name, or a hierarchy. */
export type Above = Hierarchy | EmulatedKey

/**
 * Makes a key by a template.
 *
 * @param template TPMT_PUBLIC or its parsed form; its `unique` is replaced
 * @param edit changes the public area before it is named: how forged keys are made
 */
export function createEmulatedKey(
  template: Uint8Array | TpmtPublic,
  above: Above,
  edit: (area: TpmtPublic) => TpmtPublic = area => area,
): EmulatedKey {
  const shape = template instanceof Uint8Array ? parseTpmtPublic(template) : template
  const { publicKey, privateKey } = generate(shape)
  return withArea(edit(withKey(shape, publicKey)), above, publicKey, privateKey)
}

/** The same key under another public area: what a forger would present. */
export function withArea(
  area: TpmtPublic,
  above: Above,
  publicKey: KeyObject,
  privateKey: KeyObject,
): EmulatedKey {
  const bytes = encodeTpmtPublic(area)
  const name = nameOf(bytes)
  const parent = typeof above === 'string' ? above : above.qualifiedName
  const qualifiedName = qualifiedNameOf(parent, name)
  return { area, public: bytes, name, qualifiedName, privateKey, publicKey }
}

function generate(area: TpmtPublic): { publicKey: KeyObject; privateKey: KeyObject } {
  if (area.type === TPM_ALG.RSA) return generateKeyPairSync('rsa', { modulusLength: area.keyBits })
  const curve = curveOf(area.curveId) ?? curves[0]
  return generateKeyPairSync('ec', { namedCurve: curve?.openssl ?? 'prime256v1' })
}

function withKey(area: TpmtPublic, publicKey: KeyObject): TpmtPublic {
  const jwk = publicKey.export({ format: 'jwk' })
  const bytes = (member: string | undefined): Uint8Array => Buffer.from(member ?? '', 'base64url')
  if (area.type === TPM_ALG.RSA) return { ...area, modulus: bytes(jwk.n) }
  return { ...area, x: bytes(jwk.x), y: bytes(jwk.y) }
}

/**
 * Signs as TPM2_Sign does: TPMT_SIGNATURE under the key's own scheme, ECDSA or RSASSA with SHA-256 where it has none.
 *
 * @see TPM 2.0 Part 2 r01.59 §11.3.4
 */
export function signAsTpm(key: EmulatedKey, message: Uint8Array): Uint8Array {
  const { scheme } = key.area
  const hash = scheme?.hash ?? TPM_ALG.SHA256
  const { name } = hashAlgorithm(hash)
  if (key.area.type === TPM_ALG.RSA) {
    const algorithm = scheme?.scheme === TPM_ALG.RSAPSS ? TPM_ALG.RSAPSS : TPM_ALG.RSASSA
    const value = sign(name, message, { key: key.privateKey, ...rsaPadding(algorithm) })
    return encodeTpmtSignature({ algorithm, hash, value })
  }
  const fixed = sign(name, message, { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
  const half = fixed.length / 2
  const [r, s] = [fixed.subarray(0, half), fixed.subarray(half)]
  return encodeTpmtSignature({ algorithm: TPM_ALG.ECDSA, hash, r, s })
}

/** A salt as long as the digest, as TPMs in FIPS mode take it (TPM 2.0 Part 1 r01.59 §B.7). */
function rsaPadding(algorithm: number): { padding: number; saltLength?: number } {
  return algorithm === TPM_ALG.RSASSA
    ? { padding: constants.RSA_PKCS1_PADDING }
    : { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}
