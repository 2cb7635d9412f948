/** One place of a revocation list of our own. */
export interface CertificateListRow {
  authority_id: string
  shard: number
  /** Set aside last; never given again. */
  last_number: number
  /** Of the list that is published; 0 before there is one. */
  number: number
  this_update: number
  next_update: number
  revoked: number
  counted: number
  sha256: string
  bytes: Uint8Array
}
