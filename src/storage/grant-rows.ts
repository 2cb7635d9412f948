/** A request of an agent to be approved by an operator; see `GrantRequestRecord`. */
export interface GrantRequestRow {
  id: string
  digest: string
  agent_id: string
  jkt: string
  class_name: string
  host_id: string
  action: string
  audience: string
  /** JSON array of strings, as the next, `actors` and `policies`. */
  audiences: string
  scopes: string
  details: string | null
  details_digest: string | null
  initiator: string
  actors: string
  may_act: string | null
  policies: string
  max_minutes: number | null
  requested_at: number
  status: string
  expires_at: number
  decided_at: number | null
  decided_by: string | null
  operator_id: string | null
  reason: string | null
  minutes: number | null
  uses: number
  used_at: number | null
}
