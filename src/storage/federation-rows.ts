/** One other trust domain as it is kept. */
export interface FederationRow {
  trust_domain: string
  id: string
  url: string
  profile: string
  endpoint_id: string | null
  added_at: number
  added_by: string
  bundle: string | null
  bundle_sha256: string | null
  bundle_sequence: number
  bundle_refresh_seconds: number | null
  bundle_kept_at: number | null
  failure: string | null
  failed_at: number | null
}
