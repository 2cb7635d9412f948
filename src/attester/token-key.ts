import type { HsmAttributes } from '../core/formats/hsm/attributes.ts'
import type { HsmToken } from '../core/formats/hsm/token.ts'
import type { ClientKey } from './client-key.ts'

/** A key in a PKCS#11 token that can tell of itself; what it tells, the service believes as far as the level goes. */
export interface TokenKey extends ClientKey {
  describe(): Promise<{
    readonly token: HsmToken
    /** Dotted. */
    readonly firmware: string
    readonly attributes: HsmAttributes
  }>
}

/** What vouches for the keys of a token. */
export type Voucher =
  | { readonly format: 'hsm-inspected' }
  | {
      readonly format: 'hsm-declared'
      /** The registered key of the same token. */
      readonly attestationKey: ClientKey
    }
  | {
      readonly format: 'hsm-attested'
      /** The product, such as `yubihsm2`. */
      readonly vendor: string
      /** DER: the key's own as the device attested it, then the device's. */
      readonly certificates: readonly Uint8Array[]
    }
