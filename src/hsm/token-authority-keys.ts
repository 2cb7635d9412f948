import type { AuthorityKeys } from '../ports/authority.ts'
import { AuthorityKeyError } from '../ports/authority-error.ts'
import type { WatchedSigner } from '../ports/signer.ts'

/**
 * The keys of authorities where one of them lives in a PKCS#11 token: that one's signer was opened with the service,
 * all others are those of the disk.
 */
export function withTokenKey(
  files: AuthorityKeys,
  uri: string,
  signer: WatchedSigner,
): AuthorityKeys {
  const { algorithm } = signer
  if (algorithm === 'Ed25519') throw new AuthorityKeyError('authority-key-unusable')
  return {
    ...files,
    open: authority =>
      authority.keyReference === uri
        ? { algorithm, sign: message => signer.sign(message) }
        : files.open(authority),
  }
}
