import { X509Certificate } from 'node:crypto'
import type { AuthorityKeys } from '../ports/authority.ts'
import { AuthorityKeyError } from '../ports/authority-error.ts'
import type { WatchedSigner } from '../ports/signer.ts'

/**
 * The keys of authorities where one of them lives in a PKCS#11 token: that one's signer was opened with the service,
 * all others are those of the disk, and no new one is made.
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
    // A key that is to live in hardware is not followed by one on the disk without anybody saying so.
    create: async () =>
      await Promise.reject(new AuthorityKeyError('authority-key-place', { expected: uri })),
    // By the key and not by the words of the URI, which an operator may change.
    open: authority =>
      isKeyOf(authority, signer)
        ? { algorithm, sign: message => signer.sign(message) }
        : files.open(authority),
  }
}

function isKeyOf(
  { chain: [issuing] }: Parameters<AuthorityKeys['open']>[0],
  { publicKey }: WatchedSigner,
): boolean {
  if (issuing === undefined) return false
  const spki = new X509Certificate(issuing).publicKey.export({ format: 'der', type: 'spki' })
  return spki.equals(publicKey)
}
