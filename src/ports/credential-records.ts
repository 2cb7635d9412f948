import type { RevocationReason } from '../core/status/revocation-reason.ts'

/** Which use of a challenge is meant: for another subject or purpose it does not exist. */
export interface ChallengeUse {
  readonly id: string
  /** Id of the agent or host whose key it is for. */
  readonly subject: string
  /** A first or new key of an agent, or a renewal for the key that the subject has. */
  readonly purpose: 'agent-key' | 'renewal'
}

/** A single-use nonce for proving a key, bound to one subject and one purpose. */
export interface ChallengeRecord extends ChallengeUse {
  readonly nonce: Uint8Array
  readonly expiresAt: number
  /** `HostRecord.stateVersion` of the host when it was made; null on a record from before this was kept. */
  readonly stateVersion: number | null
}

export interface CertificateRecord {
  /** Lower-case hex, as in the certificate. */
  readonly serial: string
  readonly subjectKind: 'host' | 'agent'
  readonly subjectId: string
  readonly spiffeId: string
  readonly jkt: string
  readonly notBefore: number
  readonly notAfter: number
  /** `intended` from before the signature until its result is known; `unknown` when a crash came between. */
  readonly status: 'intended' | 'issued' | 'revoked' | 'unknown'
  /** base64url SHA-256 of the DER certificate once it exists (RFC 8705 §3.1 `x5t#S256`). */
  readonly x5t: string | null
  /** The attestation it rests on. */
  readonly attestationId: string | null
  /** Who signs it: id of an authority. */
  readonly authorityId: string
  /** Null while it is not revoked, as the next. */
  readonly revokedAt: number | null
  readonly revocationReason: RevocationReason | null
  /** When it was decided on; null on a record from before this was kept, as the next. */
  readonly intendedAt: number | null
  /** Hex SHA-256 of the TBSCertificate that was given to the signer. */
  readonly tbsSha256: string | null
  /** The renewal that it is the answer to; null for one that replaces none, or that is the answer no more. */
  readonly renewal: string | null
}

/** The answer to a renewal that was made before. */
export interface RenewalRecord extends CertificateRecord {
  /** DER; null until it is signed. */
  readonly encoded: Uint8Array | null
}
