import { randomBytes } from 'node:crypto'
import type { DataDirectory } from './data-directory.ts'
import { Pkcs11Error } from './hsm/pkcs11-error.ts'
import { followPlaces, keyUriIn } from './hsm/pkcs11-place.ts'
import { Pkcs11Signer, type Pkcs11SignerOptions } from './hsm/pkcs11-signer.ts'
import { createTokenKeyFiles } from './hsm/token-key-files.ts'
import { destroyTokenKey, takeTokenKey } from './hsm/token-made-key.ts'
import { SignerError } from './ports/signer-error.ts'
import type { WatchedSigner } from './ports/signer.ts'
import type { TokenKeyPlaces } from './ports/token-key.ts'

const isInToken = (keyReference: string): boolean => keyReference.startsWith('pkcs11:')

/**
 * Where the keys of tokens are: files of the data directory, and objects of PKCS#11 tokens. The next one is made where
 * `keys.token` of the configuration says: library and PIN come from there, never from a request.
 *
 * @param list of the signers that can go down; those of keys in hardware come and go
 */
export function createTokenKeyPlaces(
  { config: { keys }, tokenKeyFiles }: Pick<DataDirectory, 'config' | 'tokenKeyFiles'>,
  list: WatchedSigner[],
  onChange: Pkcs11SignerOptions['onChange'],
): TokenKeyPlaces {
  const files = createTokenKeyFiles(tokenKeyFiles)
  const { deadlineMs, sessions } = keys
  const places = keys.token === 'embedded' ? [] : [keys.token]
  const open = new Map<string, WatchedSigner>()
  return {
    create: async where => {
      const [place] = places
      if (place === undefined || where === 'embedded') return await files.create()
      const keyReference = keyUriIn(place, 'assay-token', randomBytes(16))
      return { keyReference, publicKey: await failingAsSigner(takeTokenKey(keyReference)) }
    },
    open: async key => {
      const { keyReference, publicKey } = key
      if (!isInToken(keyReference)) return await files.open(key)
      const uri = followPlaces(keyReference, places)
      const how = { deadlineMs, sessions, onChange }
      const signer = await Pkcs11Signer.open({ ...how, role: 'token', uri, publicKey })
      open.set(keyReference, signer)
      list.push(signer)
      return signer
    },
    release: async keyReference => {
      const signer = open.get(keyReference)
      if (signer === undefined) return
      open.delete(keyReference)
      list.splice(list.indexOf(signer), 1)
      await signer.close()
    },
    listOrphans: references => files.listOrphans(references),
    setAside: names => files.setAside(names),
    discard: async key => {
      const { keyReference, publicKey } = key
      if (!isInToken(keyReference)) return await files.discard(key)
      await failingAsSigner(destroyTokenKey(keyReference, publicKey))
    },
  }
}

/** What a token refuses, in the words of the port: nothing was made, and the key before goes on. */
async function failingAsSigner<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof Pkcs11Error)) throw cause
    throw new SignerError('signer-down', { found: cause.returnValue ?? cause.code, cause })
  }
}
