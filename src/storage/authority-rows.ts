/** One authority as it is kept. */
export interface AuthorityRow {
  id: string
  /** JSON array of base64url. */
  chain: string
  root_id: string
  key_reference: string
  state: string
  bundle_sequence: number
  prepared_at: number
  prepared_by: string
  activated_at: number | null
  changed_at: number
  changed_by: string
  reason: string | null
  key_destroyed_at: number | null
}

/** One row: what the trust bundle is now. */
export interface BundleStateRow {
  id: number
  sequence: number
  keys_digest: string
}

/** Which bundle a host keeps. */
export interface BundleAdoptionRow {
  host_id: string
  sequence: number
  adopted_at: number
}
