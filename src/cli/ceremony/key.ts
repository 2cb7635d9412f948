import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readPrivateFile } from '../../attester/private-file.ts'
import { authorityKeyOf } from '../../core/ceremony/authority-key.ts'
import { CeremonyError } from '../../core/ceremony/error.ts'
import type { AuthorityCurve } from '../../core/issuance/authority-profile.ts'
import type { CertificateSigner } from '../../core/issuance/credential.ts'
import { importJwk } from '../../core/jose/jwk.ts'
import { parsePublicKey } from '../../core/x509/public-key.ts'
import { createEmbeddedSigner } from '../../hsm/embedded-key.ts'
import { encodePlainKey, KeyCipher } from '../../hsm/key-cipher.ts'
import { openPkcs11Key } from '../../hsm/pkcs11-key.ts'
import { loadPassphraseFile } from '../../key-passphrase.ts'
import type { CeremonyContext } from './context.ts'
import type { CeremonyOutput } from './place.ts'
import { isToken, type KeyScript } from './script.ts'

/** A private key that is at hand in a ceremony. */
export interface CeremonyKey extends CertificateSigner {
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
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
  if (script.make === undefined)
    return openFile(Buffer.from(cipher.open(await readPrivateFile(path), path)))
  const pkcs8 = makeKey(script.make)
  const text = cipher.isReady ? cipher.encrypt(pkcs8) : encodePlainKey(pkcs8)
  return { ...openFile(pkcs8), output: { path, text, isSecret: true } }
}

/** The key of a rehearsal, in the place of one that the ceremony will make. */
export function createStandIn(curve: AuthorityCurve): CeremonyKey {
  return openFile(makeKey(curve))
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

function openFile(pkcs8: Uint8Array): CeremonyKey {
  const pem = encodePlainKey(pkcs8)
  const spki = readPublicHalf(pem)
  // Of any other key the curve is refused before it is asked to sign.
  const { algorithm } = authorityKeyOf(parsePublicKey(spki).publicKey)
  const signer = createEmbeddedSigner(pem)
  return {
    algorithm,
    spki,
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
    output: undefined,
    sign: async message => await key.sign(message),
    close: async () => await key.close(),
  }
}
