/** What the stores keep. Times are Unix milliseconds; identifiers are opaque strings; bytes are `Uint8Array`. */

/** How strongly hardware stands behind a key: see design, "Credentials". */
export type AssuranceLevel =
  | 'tpm-discrete'
  | 'tpm-firmware'
  | 'tpm-virtual'
  | 'hsm-attested'
  | 'hsm-inspected'
  | 'hsm-declared'
  | 'emulated'

/** A manufacturer's CA certificate that an operator admitted. */
export interface AnchorRecord {
  /** Lower-case hex SHA-256 of the DER certificate. */
  readonly fingerprint: string
  readonly certificate: Uint8Array
  /** TCG vendor id as in the EK's SAN, for example `id:49465800`. */
  readonly vendor: string
  readonly name: string
  readonly assurance: AssuranceLevel
  readonly addedAt: number
  readonly addedBy: string
}

/** One challenge to a host that asks to be enrolled; answered once or dead. */
export interface EnrollmentRecord {
  readonly id: string
  readonly name: string
  readonly nonce: Uint8Array
  /** What only the TPM that owns both keys can recover; never leaves the store but to be compared. */
  readonly secret: Uint8Array
  readonly endorsementCertificate: Uint8Array
  readonly endorsementChain: readonly Uint8Array[]
  readonly endorsementPublic: Uint8Array
  readonly attestationPublic: Uint8Array
  readonly createdAt: number
  readonly expiresAt: number
}

export type Status = 'active' | 'revoked'

export interface HostRecord {
  readonly id: string
  readonly name: string
  /** Keyed hash of the EK's SubjectPublicKeyInfo: stable for a TPM, useless outside this service. */
  readonly endorsementId: string
  readonly attestationPublic: Uint8Array
  readonly assurance: AssuranceLevel
  readonly status: Status
  readonly enrolledAt: number
  readonly attestedAt: number
  /** No credential of this host or its agents outlasts this. */
  readonly attestationExpiresAt: number
  /** Hex SHA-256 of the Evidence that the current Attestation Result rests on. */
  readonly evidenceSha256: string
  /** The stored verdict, JSON: every check with outcome and source. */
  readonly attestationResult: string
  /** RFC 7638 thumbprint of the host's attested key. */
  readonly jkt: string
  readonly revokedAt: number | null
  readonly revocationReason: string | null
}

/** What an operator registers: a kind of agent, where it may run, and what it may ask for. */
export interface AgentClassRecord {
  readonly name: string
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  /** Host ids that may run agents of this class; `['*']` admits every enrolled host. */
  readonly hosts: readonly string[]
  readonly tokenLifetimeSeconds: number
  readonly createdAt: number
  readonly createdBy: string
}

export interface AgentRecord {
  readonly id: string
  readonly className: string
  readonly hostId: string
  /** `pending` until its key is attested. */
  readonly status: Status | 'pending'
  readonly jkt: string | null
  readonly createdAt: number
  readonly createdBy: string
  readonly revokedAt: number | null
  readonly revocationReason: string | null
}

export type OperatorRole = 'administrator' | 'auditor' | 'resource-server'

/** A person or a relying party that calls the API with a key of its own. */
export interface OperatorRecord {
  readonly id: string
  readonly name: string
  readonly role: OperatorRole
  /** Where its owner says the key lives; a `file` is the lowest level and marked so. */
  readonly keyProtection: 'tpm' | 'pkcs11' | 'file'
  readonly jkt: string
  readonly status: Status
  readonly createdAt: number
  readonly createdBy: string
}

/** A public key that authenticates one client, as a JWK; found by its thumbprint. */
export interface ClientKeyRecord {
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly jkt: string
  /** Public JWK, JSON. */
  readonly jwk: string
}

/** Whom a key or certificate speaks for, with all that the hot path must know about it. */
export type ClientRecord =
  | { readonly kind: 'operator'; readonly key: ClientKeyRecord; readonly operator: OperatorRecord }
  | { readonly kind: 'host'; readonly key: ClientKeyRecord; readonly host: HostRecord }
  | {
      readonly kind: 'agent'
      readonly key: ClientKeyRecord
      readonly agent: AgentRecord
      readonly host: HostRecord
      readonly agentClass: AgentClassRecord
    }

export type SubjectKind = 'operator' | 'host' | 'agent'

/** A single-use nonce for proving a key, bound to one subject and one purpose. */
export interface ChallengeRecord {
  readonly id: string
  readonly purpose: 'agent-key'
  readonly subject: string
  readonly nonce: Uint8Array
  readonly expiresAt: number
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
}

/** One line of the audit log before it has a place in it. */
export interface AuditEntry {
  /** Dotted, stable: `host.enrolled`, `token.issued`, `anchor.added`. */
  readonly type: string
  readonly time: number
  /** Who acted: a SPIFFE ID, `operator/<id>`, `enrollment/<id>`, or `service`. */
  readonly actor: string
  /** On what. */
  readonly subject: string
  /** Facts of the act; never a secret, an EK certificate or a raw token. */
  readonly detail: Readonly<Record<string, unknown>>
}
