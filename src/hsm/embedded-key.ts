import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto'
import { Crypto } from '@peculiar/webcrypto'
import { signEcdsa } from '../core/jose/ecdsa.ts'
import type { Signer } from '../ports/signer.ts'

/** The Web Cryptography implementation of ceremonies on embedded keys. */
export const embeddedCrypto: Crypto = new Crypto()

/** How each embedded key signs; the key's own type decides, never a name from outside. */
const schemes: Readonly<Record<string, Scheme>> = {
  prime256v1: { algorithm: 'ES256', hash: 'sha256', coordinateLength: 32 },
  secp384r1: { algorithm: 'ES384', hash: 'sha384', coordinateLength: 48 },
  ed25519: { algorithm: 'Ed25519', hash: null, coordinateLength: 32 },
}

interface Scheme {
  readonly algorithm: Signer['algorithm']
  readonly hash: string | null
  readonly coordinateLength: number
}

/**
 * A signer over a private key in this process: the level to begin with, below any HSM. Signs at once.
 *
 * @param pkcs8 PEM
 * @throws TypeError for a key that is none of P-256, P-384, Ed25519
 */
export function createEmbeddedSigner(pkcs8: string): Signer {
  const key = createPrivateKey(pkcs8)
  const scheme = schemes[key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? '']
  if (scheme === undefined) throw new TypeError('an embedded key is on P-256, P-384 or Ed25519')
  return {
    algorithm: scheme.algorithm,
    publicKey: createPublicKey(key).export({ format: 'der', type: 'spki' }),
    sign: message => signWith(key, scheme, message),
  }
}

function signWith(key: KeyObject, scheme: Scheme, message: Uint8Array): Uint8Array {
  const { hash, coordinateLength } = scheme
  return hash === null ? sign(null, message, key) : signEcdsa(hash, message, key, coordinateLength)
}

/** A Web Cryptography private key as PKCS#8 PEM. */
export async function exportPkcs8(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await embeddedCrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  }) as string
}
