import { constants, createCipheriv, createECDH, createHmac, publicEncrypt } from 'node:crypto'
import { sized } from '../bytes/encode.ts'
import { TPM_ALG, type Curve, type HashAlgorithm } from './algorithm.ts'
import { kdfa, kdfe } from './key-derivation.ts'
import { nameAlgorithm, type EccPublic, type TpmtPublic } from './public.ts'
import { keyObjectOf, pointOf } from './signature.ts'

/** What TPM2_ActivateCredential takes: contents of TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET, without their sizes. */
export interface ProtectedCredential {
  readonly credentialBlob: Uint8Array
  readonly encryptedSecret: Uint8Array
}

const none = new Uint8Array()

/**
 * TPM2_MakeCredential in software: protects a credential so that only the TPM that holds both the key and an object
 * of the given Name gets it back. Hash and cipher are those of the endorsement key; the caller has compared its
 * public area with a known template.
 *
 * @param endorsementKey RSA of 2048 bits or more, or ECC on P-256, P-384 or P-521
 * @param objectName Name of the attestation key, computed by the caller
 * @param credential at most as long as the name hash of the endorsement key
 * @param random gives that many unpredictable bytes: the seed, or the ephemeral key
 * @throws TypeError for a key that the caller should not have let through
 * @see TPM 2.0 Part 1 r01.59 §24, Annex B.10.4 (RSA), C.6.4 (ECC)
 */
export function makeCredential(
  endorsementKey: TpmtPublic,
  objectName: Uint8Array,
  credential: Uint8Array,
  random: (length: number) => Uint8Array,
): ProtectedCredential {
  const hash = nameAlgorithm(endorsementKey)
  if (credential.length > hash.size) throw new TypeError('a credential is no longer than a digest')
  const { seed, encryptedSecret } = protectSeed(endorsementKey, hash, random)
  return {
    credentialBlob: protectCredential(endorsementKey, hash, seed, objectName, credential),
    encryptedSecret,
  }
}

interface ProtectedSeed {
  readonly seed: Uint8Array
  readonly encryptedSecret: Uint8Array
}

function protectSeed(
  key: TpmtPublic,
  hash: HashAlgorithm,
  random: (length: number) => Uint8Array,
): ProtectedSeed {
  if (key.type === TPM_ALG.ECC) return agreeOnSeed(key, hash, random)
  const publicKey = keyObjectOf(key)
  if (publicKey === undefined) throw new TypeError('a key without modulus')
  const seed = random(hash.size)
  const encryptedSecret = publicEncrypt(
    {
      key: publicKey,
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: hash.name,
      oaepLabel: Buffer.from('IDENTITY\0'),
    },
    seed,
  )
  return { seed, encryptedSecret }
}

function agreeOnSeed(
  key: EccPublic,
  hash: HashAlgorithm,
  random: (length: number) => Uint8Array,
): ProtectedSeed {
  const point = pointOf(key)
  if (point === undefined || keyObjectOf(key) === undefined)
    throw new TypeError('a point that is on no curve known here')
  const { curve, x, y } = point
  const ephemeral = createECDH(curve.openssl)
  ephemeral.setPrivateKey(privateScalar(curve, random))
  const z = ephemeral.computeSecret(Buffer.concat([Uint8Array.of(4), x, y]))
  const ephemeralPoint = ephemeral.getPublicKey()
  const ephemeralX = ephemeralPoint.subarray(1, 1 + curve.coordinateLength)
  const ephemeralY = ephemeralPoint.subarray(1 + curve.coordinateLength)
  return {
    seed: kdfe(hash, z, 'IDENTITY', ephemeralX, x, hash.size * 8),
    encryptedSecret: Buffer.concat([sized(ephemeralX), sized(ephemeralY)]),
  }
}

/** Random bytes until they are a private key: 1 to order − 1 (SP 800-56A r3 §5.6.1.2.2). */
function privateScalar(curve: Curve, random: (length: number) => Uint8Array): Uint8Array {
  for (;;) {
    const candidate = Buffer.from(random(curve.coordinateLength))
    if (curve.name === 'P-521') candidate.writeUInt8(candidate.readUInt8() & 0x01)
    if (Buffer.compare(candidate, curve.order) < 0 && candidate.some(byte => byte !== 0))
      return candidate
  }
}

function protectCredential(
  key: TpmtPublic,
  hash: HashAlgorithm,
  seed: Uint8Array,
  name: Uint8Array,
  credential: Uint8Array,
): Uint8Array {
  const keyBits = key.symmetric?.keyBits
  if (keyBits !== 128 && keyBits !== 256) throw new TypeError('an endorsement key without AES')
  const symmetricKey = kdfa(hash, seed, 'STORAGE', name, none, keyBits)
  // A fresh key for each credential: the TPM's own definition sets the IV to zero.
  const cipher = createCipheriv(`aes-${keyBits}-cfb`, symmetricKey, Buffer.alloc(16))
  const encIdentity = Buffer.concat([cipher.update(sized(credential)), cipher.final()])
  const hmacKey = kdfa(hash, seed, 'INTEGRITY', none, none, hash.size * 8)
  const integrity = createHmac(hash.name, hmacKey).update(encIdentity).update(name).digest()
  return Buffer.concat([sized(integrity), encIdentity])
}
