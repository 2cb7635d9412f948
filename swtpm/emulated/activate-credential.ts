import {
  constants,
  createDecipheriv,
  createECDH,
  createHmac,
  privateDecrypt,
  timingSafeEqual,
} from 'node:crypto'
import { parseAll } from '../../src/core/bytes/reader.ts'
import { curveOf, TPM_ALG, type HashAlgorithm } from '../../src/core/tpm/algorithm.ts'
import { kdfa, kdfe } from '../../src/core/tpm/key-derivation.ts'
import type { ProtectedCredential } from '../../src/core/tpm/make-credential.ts'
import { nameAlgorithm } from '../../src/core/tpm/public.ts'
import { EmulatorError } from '../emulator-error.ts'
import type { EmulatedKey } from './key.ts'

const none = new Uint8Array()

/**
 * TPM2_ActivateCredential: the credential, if it was made for this endorsement key and an object of this Name.
 *
 * @throws EmulatorError `emulator-refused` as a TPM answers TPM_RC_INTEGRITY
 * @see TPM 2.0 Part 1 r01.59 §24; Part 3 §12.5
 */
export function activateCredential(
  endorsementKey: EmulatedKey,
  objectName: Uint8Array,
  { credentialBlob, encryptedSecret }: ProtectedCredential,
): Uint8Array {
  const hash = nameAlgorithm(endorsementKey.area)
  const seed = recoverSeed(endorsementKey, hash, encryptedSecret)
  const { integrity, encIdentity } = parseAll(credentialBlob, reader => ({
    integrity: reader.sized(64),
    encIdentity: reader.bytes(reader.remaining),
  }))
  const hmacKey = kdfa(hash, seed, 'INTEGRITY', none, none, hash.size * 8)
  const expected = createHmac(hash.name, hmacKey).update(encIdentity).update(objectName).digest()
  if (integrity.length !== expected.length || !timingSafeEqual(integrity, expected))
    throw new EmulatorError('emulator-refused', { found: 'TPM_RC_INTEGRITY' })
  const keyBits = endorsementKey.area.symmetric?.keyBits ?? 128
  const key = kdfa(hash, seed, 'STORAGE', objectName, none, keyBits)
  const cipher = createDecipheriv(`aes-${keyBits}-cfb`, key, Buffer.alloc(16))
  const credential = Buffer.concat([cipher.update(encIdentity), cipher.final()])
  return parseAll(credential, reader => Uint8Array.from(reader.sized(64)))
}

function recoverSeed(key: EmulatedKey, hash: HashAlgorithm, encrypted: Uint8Array): Uint8Array {
  if (key.area.type === TPM_ALG.RSA) return decryptSeed(key, hash, encrypted)
  const curve = curveOf(key.area.curveId)
  const jwk = key.privateKey.export({ format: 'jwk' })
  if (curve === undefined) throw new TypeError('a curve of TPMs')
  const point = parseAll(encrypted, reader => ({ x: reader.sized(66), y: reader.sized(66) }))
  const ecdh = createECDH(curve.openssl)
  ecdh.setPrivateKey(Buffer.from(jwk.d ?? '', 'base64url'))
  const z = ecdh.computeSecret(Buffer.concat([Uint8Array.of(4), point.x, point.y]))
  return kdfe(hash, z, 'IDENTITY', point.x, key.area.x, hash.size * 8)
}

function decryptSeed(key: EmulatedKey, hash: HashAlgorithm, encrypted: Uint8Array): Uint8Array {
  try {
    return privateDecrypt(
      {
        key: key.privateKey,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: hash.name,
        oaepLabel: Buffer.from('IDENTITY\0'),
      },
      encrypted,
    )
  } catch (cause) {
    throw new EmulatorError('emulator-refused', { found: 'TPM_RC_VALUE', cause })
  }
}
