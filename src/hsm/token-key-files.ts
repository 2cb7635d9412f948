import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { CreatedTokenKey, TokenKeyPlaces } from '../ports/token-key.ts'
import type { KeyFiles } from './authority-keys.ts'
import { createEmbeddedSigner } from './embedded-key.ts'
import { KeyPassphraseError } from './key-passphrase-error.ts'

/** Names of the keys that are made here; what is named otherwise is never moved. */
const made = /^token-[0-9a-f]{32}\.key\.pem$/

/** Keys of tokens on this machine's disk. */
export function createTokenKeyFiles(files: KeyFiles): TokenKeyPlaces {
  return {
    create: async () => await Promise.resolve(createTokenKeyFile(files)),
    open: async ({ publicKey, keyReference }) => {
      const signer = await Promise.resolve(createEmbeddedSigner(files.read(keyReference)))
      if (Buffer.compare(signer.publicKey, publicKey) === 0) return signer
      throw new KeyPassphraseError('key-malformed', {
        expected: 'the key that is on record',
        found: keyReference,
      })
    },
    release: async () => await Promise.resolve(),
    listOrphans: references =>
      files.list().filter(name => made.test(name) && !references.includes(name)),
    setAside: names => {
      for (const name of names) files.setAside(name)
    },
    discard: async ({ keyReference }) => await Promise.resolve(files.setAside(keyReference)),
  }
}

function createTokenKeyFile(files: KeyFiles): CreatedTokenKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keyReference = `token-${randomBytes(16).toString('hex')}.key.pem`
  files.write(keyReference, privateKey.export({ format: 'pem', type: 'pkcs8' }) as string)
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  return { keyReference, publicKey: new Uint8Array(spki) }
}
