import type { RevocationReason } from '../status/revocation-reason.ts'

/** A certificate that was taken back, as lists and answers tell it. */
export interface RevokedCertificate {
  /** Lower-case hex. */
  readonly serial: string
  /** Unix milliseconds. */
  readonly revokedAt: number
  readonly reason: RevocationReason
  /** Unix milliseconds since when the key is known or suspected to be in other hands; undefined where nobody knows. */
  readonly invalidAt?: number | undefined
}
