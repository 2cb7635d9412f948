import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readPrivateFile } from '../../attester/private-file.ts'
import { authorityKeyOf } from '../../core/ceremony/authority-key.ts'
import { CeremonyError } from '../../core/ceremony/error.ts'
import type { AuthorityCurve } from '../../core/issuance/authority-profile.ts'
import type { CertificateSigner } from '../../core/issuance/credential.ts'
import { importJwk } from '../../core/jose/jwk.ts'
import { parsePublicKey } from '../../core/x509/public-key.ts'
import { createEmbeddedSigner } from '../../hsm/embedded-key.ts'
import { encodePlainKey, isEncryptedKey, KeyCipher } from '../../hsm/key-cipher.ts'
import { openPkcs11Key } from '../../hsm/pkcs11-key.ts'
import { loadPassphraseFile } from '../../key-passphrase.ts'
import type { CeremonyContext } from './context.ts'
import type { CeremonyOutput } from './place.ts'
import { isToken, type KeyScript } from './script.ts'

/** How a private key is kept: in a file under a passphrase, in a file in clear, or in a PKCS#11 token. */
export type KeyAtRest = 'encrypted' | 'plain' | 'token'

/** A private key that is at hand in a ceremony. */
export interface CeremonyKey extends CertificateSigner {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly atRest: KeyAtRest
  /** The file that holds it from now on; undefined for one that is kept already, or lives in a token. */
  readonly output: CeremonyOutput | undefined
  close(): Promise<void>
}

/**
 * Opens a key, or makes it where the ceremony says so. A key in a file is made in memory: whoever calls writes it.
 *
 * @throws CeremonyError `ceremony-key`; of the place, its own: Pkcs11Error, PrivateFileError, KeyPassphraseError
 */
export async function openCeremonyKey(
  script: KeyScript,
  context: CeremonyContext,
): Promise<CeremonyKey> {
  if (isToken(script.place)) return await openInToken(script, context)
  const path = context.place(script.place)
  const cipher = cipherOf(script, context)
  if (script.make === undefined) {
    const text = await readPrivateFile(path)
    return openFile(Buffer.from(cipher.open(text, path)), atRestIn(text))
  }
  const pkcs8 = makeKey(script.make)
  const text = cipher.isReady ? cipher.encrypt(pkcs8) : encodePlainKey(pkcs8)
  return { ...openFile(pkcs8, atRestIn(text)), output: { path, text, isSecret: true } }
}

/**
 * The key of a rehearsal, in the place of one that the ceremony will make and keep as it says.
 *
 * @throws KeyPassphraseError for a passphrase that could not be used
 */
export function createStandIn(
  script: KeyScript & { readonly make: AuthorityCurve },
  context: CeremonyContext,
): CeremonyKey {
  const inFile = cipherOf(script, context).isReady ? 'encrypted' : 'plain'
  return openFile(makeKey(script.make), isToken(script.place) ? 'token' : inFile)
}

function atRestIn(pem: string): KeyAtRest {
  return isEncryptedKey(pem) ? 'encrypted' : 'plain'
}

function cipherOf({ passphraseFile }: KeyScript, { place }: CeremonyContext): KeyCipher {
  return new KeyCipher(() =>
    passphraseFile === undefined ? [] : [loadPassphraseFile(place(passphraseFile))],
  )
}

function makeKey(namedCurve: AuthorityCurve): Buffer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve })
  return privateKey.export({ format: 'der', type: 'pkcs8' })
}

function openFile(pkcs8: Uint8Array, atRest: KeyAtRest): CeremonyKey {
  const pem = encodePlainKey(pkcs8)
  const spki = readPublicHalf(pem)
  // Of any other key the curve is refused before it is asked to sign.
  const { algorithm } = authorityKeyOf(parsePublicKey(spki).publicKey)
  const signer = createEmbeddedSigner(pem)
  return {
    algorithm,
    spki,
    atRest,
    output: undefined,
    sign: message => signer.sign(message),
    close: async () => await Promise.resolve(),
  }
}

function readPublicHalf(pem: string): Uint8Array {
  try {
    return new Uint8Array(createPublicKey(pem).export({ format: 'der', type: 'spki' }))
  } catch (cause) {
    throw new CeremonyError('ceremony-key', { expected: 'a private key', cause })
  }
}

async function openInToken(
  { place, make }: KeyScript,
  { pinSource }: CeremonyContext,
): Promise<CeremonyKey> {
  const key = await openPkcs11Key(place, { pinSource, create: make })
  const { algorithm, jwk } = key
  return {
    algorithm,
    spki: new Uint8Array(importJwk(jwk).export({ format: 'der', type: 'spki' })),
    atRest: 'token',
    output: undefined,
    sign: async message => await key.sign(message),
    close: async () => await key.close(),
  }
}
