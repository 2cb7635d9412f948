import type { AuthorityIssuance } from '../../core/issuance/ceremony.ts'

/** What a ceremony works with besides its file. */
export interface CeremonyContext {
  readonly issuance: AuthorityIssuance
  /** Unix milliseconds. */
  readonly now: number
  /** Random bytes for a serial number. */
  readonly random: (length: number) => Uint8Array
  /** A rehearsal: everything is linted, nothing is made, opened for signing, signed or written. */
  readonly isCheck: boolean
  /** The absolute path of a file that the ceremony names. */
  readonly place: (path: string) => string
  /** Where a PIN is read from when a URI does not say. */
  readonly pinSource: string | undefined
}
