import { issuingAlgorithm } from '../core/issuance/ceremony.ts'
import { AuthorityKeyError } from '../ports/authority-error.ts'
import { embeddedCrypto } from './embedded-key.ts'
import { Pkcs11Error } from './pkcs11-error.ts'
import { keyUriIn } from './pkcs11-place.ts'
import { destroyTokenKey, takeTokenKey } from './token-made-key.ts'

/** An issuing key as it was made. */
export interface MadeIssuingKey {
  /** A name of a file, or a `pkcs11:` URI. */
  readonly reference: string
  readonly publicKey: CryptoKey
  /** Makes it durable, where it is not yet. */
  keep(): void
  /** Lets go of it, before anything names it. Throws AuthorityKeyError `authority-token-failed`. */
  discard(): Promise<void>
}

/** Somewhere issuing keys of authorities are made. */
export interface IssuingKeyPlace {
  /** @param name unique among all keys, and what the key is called there */
  make(name: string): Promise<MadeIssuingKey>
}

/**
 * A PKCS#11 token as the place of issuing keys: each is born there, on P-256, and cannot leave it. Its CKA_ID is the
 * number in its name.
 *
 * @param place a `pkcs11:` URI of the token, with `module-path`; what it says of a key is passed over
 */
export function createTokenPlace(place: string): IssuingKeyPlace {
  return {
    make: async name => {
      const reference = keyUriIn(place, name, Buffer.from(name.slice(name.indexOf('-') + 1), 'hex'))
      const spki = Buffer.from(await failingAsAuthority(takeTokenKey(reference)))
      const { subtle } = embeddedCrypto
      const publicKey = await subtle.importKey('spki', spki, issuingAlgorithm, true, ['verify'])
      const discard = async (): Promise<void> =>
        await failingAsAuthority(destroyTokenKey(reference, new Uint8Array(spki)))
      return { reference, publicKey, keep: () => undefined, discard }
    },
  }
}

/** What a token refuses, in the words of the port. Throws AuthorityKeyError `authority-token-failed`. */
export async function failingAsAuthority<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof Pkcs11Error)) throw cause
    const found = [cause.code, cause.returnValue].filter(text => text !== undefined).join(', ')
    throw new AuthorityKeyError('authority-token-failed', { found, cause })
  }
}
