import { importSpki } from '../core/jose/ec-key.ts'
import { exportJwk, thumbprint } from '../core/jose/jwk.ts'
import { tokenAlgorithm, type TokenVerificationKey } from '../core/token/access-token.ts'
import type { Signer } from '../ports/signer.ts'

/** A key that signs tokens, in this process or in a token of hardware. */
export interface TokenSigner extends TokenVerificationKey {
  /** r ‖ s (RFC 7518 §3.4); at once where the key is embedded. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** The keys behind everything that is signed as a JWS. There is one in this version: it is not replaced while the service runs. */
export interface TokenKeys {
  /** Signs. */
  readonly current: TokenSigner
  /** What `/oauth/jwks` shows. */
  readonly published: readonly TokenVerificationKey[]
}

/**
 * A signer as the key of tokens; its RFC 7638 thumbprint is the `kid`.
 *
 * @throws JoseError `jwk-malformed`, TypeError for a key that is not on P-256 or P-384
 */
export function createTokenSigner(signer: Signer): TokenSigner {
  const key = importSpki(signer.publicKey)
  return {
    kid: thumbprint(exportJwk(key)),
    key,
    algorithm: tokenAlgorithm(signer.algorithm),
    sign: message => signer.sign(message),
  }
}
