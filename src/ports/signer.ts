/** A private key that signs and never shows itself; file, PKCS#11 token or TPM behind it. */
export interface Signer {
  readonly algorithm: 'ES256' | 'ES384' | 'Ed25519'
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array
  /**
   * Signs the message (hashing is the algorithm's own). ECDSA answers r ‖ s of fixed width (IEEE P1363), Ed25519
   * its 64 bytes. Embedded keys answer at once, hardware later.
   */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>
}
