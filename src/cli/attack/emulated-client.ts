import { sign } from 'node:crypto'
import type { EmulatedKey } from '../../../swtpm/emulated/key.ts'
import type { ClientKey } from '../../attester/client-key.ts'
import { exportJwk, thumbprint } from '../../core/jose/jwk.ts'

/** A key of an emulated TPM as clients use keys. */
export function clientKeyOf({ publicKey, privateKey }: EmulatedKey): ClientKey {
  const jwk = exportJwk(publicKey)
  return {
    jwk,
    jkt: thumbprint(jwk),
    algorithm: 'ES256',
    protection: 'tpm',
    sign: async message =>
      await Promise.resolve(
        sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
      ),
    close: async () => await Promise.resolve(),
  }
}
