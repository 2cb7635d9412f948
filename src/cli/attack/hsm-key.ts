import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { goodAttributes } from '../../../swtpm/emulated/hsm-attributes.ts'
import type { TokenKey } from '../../attester/token-key.ts'
import type { HsmAttributes } from '../../core/formats/hsm/attributes.ts'
import type { HsmToken } from '../../core/formats/hsm/token.ts'
import { exportJwk, thumbprint } from '../../core/jose/jwk.ts'

/** A key in this process that says of itself what a token would, or what a forger would like it to. */
export interface EmulatedHsmKey extends TokenKey {
  readonly publicKey: KeyObject
}

/** Makes one on P-256, of a token, with attributes that are as they must be but for what is given. */
export function createHsmKey(
  token: HsmToken,
  attributes: Partial<HsmAttributes> = {},
): EmulatedHsmKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = exportJwk(publicKey)
  const described = {
    token,
    firmware: '7.3',
    attributes: { ...goodAttributes, ...attributes },
  }
  return {
    publicKey,
    jwk,
    jkt: thumbprint(jwk),
    algorithm: 'ES256',
    protection: 'pkcs11',
    sign: async message =>
      await Promise.resolve(
        sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
      ),
    describe: async () => await Promise.resolve(described),
    close: async () => await Promise.resolve(),
  }
}
