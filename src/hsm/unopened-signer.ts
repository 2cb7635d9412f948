import { SignerError } from '../ports/signer-error.ts'
import type { SignerRole, WatchedSigner } from '../ports/signer.ts'
import type { Pkcs11Error } from './pkcs11-error.ts'
import { Pkcs11PublicKey } from './pkcs11-public-key.ts'

/**
 * In the place of a key in a token that could not be opened at all: down from its beginning, so that it stands in
 * `/readyz` and a standby can take over.
 *
 * @param publicKey DER SubjectPublicKeyInfo of the key that is missed
 * @returns one whose `sign` throws SignerError `signer-down`
 */
export function createUnopenedSigner(
  publicKey: Uint8Array,
  role: () => SignerRole,
  { code, returnValue }: Pkcs11Error,
): WatchedSigner {
  const since = Date.now()
  const reason = returnValue ?? code
  return {
    algorithm: Pkcs11PublicKey.ofSpki(publicKey).algorithm,
    publicKey,
    place: 'pkcs11',
    get role() {
      return role()
    },
    state: () => ({ isUp: false, since, reason, waiting: 0 }),
    sign: () => Promise.reject(new SignerError('signer-down', { found: reason })),
    close: async () => await Promise.resolve(),
  }
}
