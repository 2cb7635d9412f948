import type { AuthorityKeys, AuthorityRecord } from '../ports/authority.ts'
import type { AuthoritySigners } from './authority-signers.ts'
import { failingAsAuthority } from './issuing-key-place.ts'
import { destroyTokenKey } from './token-made-key.ts'
import { X509Certificate } from 'node:crypto'

/**
 * The keys of authorities where some live in PKCS#11 tokens: those are used and destroyed there, all others as before.
 *
 * @param uriOf the URI by which a key is reached today
 */
export function withTokenKeys(
  files: AuthorityKeys,
  signers: Pick<AuthoritySigners, 'signerOf' | 'release'>,
  uriOf: (authority: Pick<AuthorityRecord, 'chain' | 'keyReference'>) => string,
): AuthorityKeys {
  return {
    ...files,
    open: authority => (isInToken(authority) ? signers.signerOf(authority) : files.open(authority)),
    destroy: async authority => {
      if (!isInToken(authority)) return await files.destroy(authority)
      await signers.release(authority)
      const [issuing = new Uint8Array()] = authority.chain
      const { publicKey } = new X509Certificate(issuing)
      const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
      await failingAsAuthority(destroyTokenKey(uriOf(authority), spki))
    },
  }
}

/** Whether the key of an authority is in a PKCS#11 token. */
export function isInToken({ keyReference }: Pick<AuthorityRecord, 'keyReference'>): boolean {
  return keyReference.startsWith('pkcs11:')
}
