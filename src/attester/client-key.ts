import type { PublicJwk } from '../core/jose/jwk.ts'

/** A private key that speaks for a client and never shows itself: in the TPM, in a PKCS#11 token, or in a file. */
export interface ClientKey {
  readonly jwk: PublicJwk
  /** Thumbprint of `jwk`: the name of the key everywhere (RFC 7638 §3). */
  readonly jkt: string
  readonly algorithm: 'ES256' | 'ES384'
  readonly protection: 'tpm' | 'pkcs11' | 'file'
  /** Hashes the message and signs; answers r ‖ s of fixed width (RFC 7518 §3.4). */
  sign(message: Uint8Array): Promise<Uint8Array>
  /** Gives back what the key holds on to: a TPM connection, a session of a token. Safe to call twice. */
  close(): Promise<void>
}
