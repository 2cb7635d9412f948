import type { RevocationReason } from '../status/revocation-reason.ts'

/** A certificate that was taken back, as lists and answers tell it. */
export interface RevokedCertificate {
  /** Lower-case hex. */
  readonly serial: string
  /** Unix milliseconds. */
  readonly revokedAt: number
  readonly reason: RevocationReason
}
