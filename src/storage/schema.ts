import type { CertificateListRow } from './certificate-list-rows.ts'
import type { ReplayKeyRow, RevokedTokenRow } from './spent-rows.ts'
import type { StatusListRow, TokenParentRow, TokenRow } from './status-rows.ts'
import type { LogEntryRow, LogStateRow, LogTileRow } from './log-rows.ts'
import type { GrantRequestRow } from './grant-rows.ts'
import type { TokenKeyRow } from './token-key-rows.ts'
import type { FederationRow } from './federation-rows.ts'
import type { AuthorityRow, BundleAdoptionRow, BundleStateRow } from './authority-rows.ts'
import type {
  AnchorRow,
  AttestationRow,
  EndorsementRow,
  HostLabelRow,
  PolicyActivationRow,
  PolicyRow,
  RevocationListRow,
  RiskScoreRow,
} from './policy-rows.ts'

/**
 * The tables as Kysely sees them. The same on SQLite and PostgreSQL: text, 64-bit integers within ±2^53, bytes.
 * Columns keep SQL's snake_case so that what is read in a query is what stands in the database.
 */
export interface Schema {
  anchors: AnchorRow
  operators: OperatorRow
  client_keys: ClientKeyRow
  enrollments: EnrollmentRow
  hosts: HostRow
  attestations: AttestationRow
  policies: PolicyRow
  policy_activations: PolicyActivationRow
  authorization_policies: PolicyRow
  authorization_activations: PolicyActivationRow
  host_labels: HostLabelRow
  risk_scores: RiskScoreRow
  grant_requests: GrantRequestRow
  endorsements: EndorsementRow
  hsm_keys: HsmKeyRow
  revocation_lists: RevocationListRow
  authorities: AuthorityRow
  bundle_state: BundleStateRow
  token_keys: TokenKeyRow
  bundle_adoptions: BundleAdoptionRow
  federations: FederationRow
  agent_classes: AgentClassRow
  agents: AgentRow
  challenges: ChallengeRow
  certificates: CertificateRow
  certificate_lists: CertificateListRow
  replay_keys: ReplayKeyRow
  revoked_tokens: RevokedTokenRow
  log_entries: LogEntryRow
  log_tiles: LogTileRow
  log_state: LogStateRow
  health: HealthRow
  revocations: RevocationRow
  host_anchors: HostAnchorRow
  status_lists: StatusListRow
  tokens: TokenRow
  token_parents: TokenParentRow
  revocation_events: RevocationEventRow
}

/** What a column can hold. */
export type Value = string | number | Uint8Array | null

export interface OperatorRow {
  id: string
  name: string
  role: string
  key_protection: string
  jkt: string
  status: string
  created_at: number
  created_by: string
  /** The act that took it down; likewise below. */
  revocation: number | null
  /** JSON array of strings. */
  audiences: string
}

/** Every key that ever spoke for a client. A retired one speaks for nobody and can become nobody else's. */
export interface ClientKeyRow {
  jkt: string
  kind: string
  subject_id: string
  jwk: string
  retired: number
  /** When hardware proved it last through its host; null of operators and of rows from before this was kept. */
  proven_at: number | null
}

export interface EnrollmentRow {
  id: string
  name: string
  nonce: Uint8Array
  /** Null once taken. */
  secret: Uint8Array | null
  endorsement_certificate: Uint8Array | null
  /** JSON array of base64url. */
  endorsement_chain: string
  endorsement_public: Uint8Array
  attestation_public: Uint8Array
  /** JSON array of numbers. */
  pcrs: string
  host_state_version: number
  /** JSON; null for a TPM, and once taken. */
  hsm: string | null
  created_at: number
  expires_at: number
  taken: number
}

export interface HostRow {
  id: string
  name: string
  endorsement_id: string
  attestation_public: Uint8Array
  assurance: string
  status: string
  enrolled_at: number
  attested_at: number
  attestation_expires_at: number
  evidence_sha256: string
  ear_sha256: string | null
  attestation_result: string
  jkt: string
  revoked_at: number | null
  revocation_reason: string | null
  attestation_id: string | null
  platform_state: string | null
  state_version: number
  revocation: number | null
  /** TCG vendor id; null where no certificate says it. */
  firmware_vendor: string | null
  /** TPMS_ATTEST.firmwareVersion, 16 hex digits, so that texts compare as numbers. */
  firmware_version: string | null
  /** When a proof showed another boot than that of the attestation; null while none did. */
  restart_seen_at: number | null
}

export interface HsmKeyRow {
  jkt: string
  jwk: string
  name: string
  manufacturer: string
  model: string
  token_id: string
  registered_at: number
  registered_by: string
  retired_at: number | null
  retired_by: string | null
  retirement_reason: string | null
}

export interface AgentClassRow {
  name: string
  /** JSON arrays of strings, as the next two. */
  audiences: string
  scopes: string
  hosts: string
  token_lifetime_seconds: number
  /** JSON arrays: of types with their values, and of strings. */
  authorization_details: string
  client_ids: string
  created_at: number
  created_by: string
  owner: string | null
  environment: string
  sensitivity: string
}

export interface AgentRow {
  id: string
  class_name: string
  host_id: string
  status: string
  jkt: string | null
  created_at: number
  created_by: string
  revoked_at: number | null
  revocation_reason: string | null
  revocation: number | null
}

export interface ChallengeRow {
  id: string
  purpose: string
  subject: string
  nonce: Uint8Array
  expires_at: number
  taken: number
  /** `HostRow.state_version` when it was made. */
  state_version: number | null
}

export interface CertificateRow {
  serial: string
  subject_kind: string
  subject_id: string
  spiffe_id: string
  jkt: string
  not_before: number
  not_after: number
  status: string
  x5t: string | null
  attestation_id: string | null
  authority_id: string
  revoked_at: number | null
  /** Name of a CRLReason (RFC 5280 §5.3.1). */
  revocation_reason: string | null
  revocation: number | null
  /** Null on a row from before it was kept, as the next. */
  intended_at: number | null
  tbs_sha256: string | null
  /** Names the renewal that it answers, while it does; see `renewalIdOf`. */
  renewal: string | null
  /** DER; kept of the answer to a renewal. */
  encoded: Uint8Array | null
}

/** One row, rewritten to prove that a write becomes durable. */
export interface HealthRow {
  id: number
  pings: number
}

/** One act of revocation; of an endorsement key, an anchor or firmware it is also what bars them for good. */
export interface RevocationRow {
  /** 1, 2, 3 … in the order of the acts. */
  id: number
  kind: string
  target: string
  at: number
  reason_code: string
  reason: string
  author: string
  /** Of firmware: the vendor and the lowest and highest version, as `HostRow.firmware_version`. */
  vendor: string | null
  lowest: string | null
  highest: string | null
}

/** A certificate above a host's EK, as its last admission found the path. */
export interface HostAnchorRow {
  fingerprint: string
  host_id: string
}

/** What relying parties are told of an act, in parts of bounded size. */
export interface RevocationEventRow {
  sequence: number
  at: number
  /** JSON. */
  event: string
}
