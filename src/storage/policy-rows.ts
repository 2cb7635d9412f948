/** Rows of what is appraised and by what is judged; see `Schema`. */

export interface PolicyRow {
  version: number
  id: string
  document: string
  created_at: number
  created_by: string
}

export interface PolicyActivationRow {
  sequence: number
  version: number
  activated_at: number
  activated_by: string
  jws: string | null
}

export interface EndorsementRow {
  id: string
  status: string
  host_name: string | null
  first_seen: number
  decided_at: number | null
  decided_by: string | null
}

export interface AttestationRow {
  id: string
  /** Order of arrival, since several may carry the same time. */
  sequence: number
  host_id: string | null
  enrollment_id: string
  format: string
  evidence: Uint8Array
  evidence_sha256: string
  context: string
  verdict: string
  ear: string
  status: string
  policy_id: string
  appraised_at: number
  expires_at: number | null
}

export interface HostLabelRow {
  host_id: string
  /** JSON array of strings. */
  labels: string
  set_at: number
  set_by: string
}

export interface RiskScoreRow {
  kind: string
  subject_id: string
  score: number
  reason: string
  set_at: number
  set_by: string
  expires_at: number
}

export interface RevocationListRow {
  /** Issuer and part: of each the newest is kept. */
  slot: string
  id: string
  kind: string
  issuer: string
  issuer_fingerprint: string
  scope: string
  /** Hex in one width, so that texts compare as numbers. */
  number: string
  this_update: number
  next_update: number | null
  revoked: number
  bytes: Uint8Array
  source: string
  added_at: number
  added_by: string
}

export interface AnchorRow {
  fingerprint: string
  certificate: Uint8Array
  vendor: string
  name: string
  assurance: string
  added_at: number
  added_by: string
  kind: string
  status: string
  source: string
  not_after: number
  /** The set it first belongs to; null while it is proposed. */
  since_version: number | null
  /** The first set that it does not belong to any more. */
  until_version: number | null
  approved_at: number | null
  approved_by: string | null
  retired_at: number | null
  retired_by: string | null
  retirement_reason: string | null
}
