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

/**
 * What a signer signs for. `standby`: for an authority that is prepared; `retired`: for one that issues no more, and
 * still tells what it revoked.
 */
export type SignerRole = 'issuing' | 'standby' | 'retired' | 'token' | 'log'

/** How a signer is at the moment. */
export interface SignerState {
  readonly isUp: boolean
  /** Unix milliseconds of the last change. */
  readonly since: number
  /** Why it is down: a code of the hardware. */
  readonly reason?: string
  /** Signatures that wait. */
  readonly waiting: number
}

/** A signer of the service that can go down and come back. */
export interface WatchedSigner extends Signer {
  readonly role: SignerRole
  readonly place: 'embedded' | 'pkcs11'
  state(): SignerState
  /** Gives back what it holds; safe to call twice. */
  close(): Promise<void>
}
