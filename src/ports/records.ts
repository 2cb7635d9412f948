import type { TokenRules } from './token-rules.ts'
import type { AssuranceLevel } from '../core/verifier/assurance.ts'
import type { HsmEnrollment } from './hsm-records.ts'

/** What the stores keep. Times are Unix milliseconds; identifiers are opaque strings; bytes are `Uint8Array`. */

export type { AssuranceLevel }

/** A root is where paths end; an intermediate only helps to get there. */
export type AnchorKind = 'root' | 'intermediate'

/** A manufacturer's CA certificate: proposed by an import, active once an operator approved it, or retired. */
export interface AnchorRecord {
  /** Lower-case hex SHA-256 of the DER certificate. */
  readonly fingerprint: string
  readonly certificate: Uint8Array
  /** TCG vendor id as in the EK's SAN, for example `id:49465800`. */
  readonly vendor: string
  readonly name: string
  readonly assurance: AssuranceLevel
  readonly kind: AnchorKind
  readonly status: 'proposed' | 'active' | 'retired'
  /** Where its bytes came from, in the words of who brought them: a URL, a file of a collection. */
  readonly source: string
  /** End of the certificate's own validity. */
  readonly notAfter: number
  readonly addedAt: number
  readonly addedBy: string
  /** The version of the anchor set with which it came in; null while it is proposed. */
  readonly sinceVersion: number | null
  /** The first version without it; null while it is in. */
  readonly untilVersion: number | null
  readonly approvedAt: number | null
  readonly approvedBy: string | null
  readonly retiredAt: number | null
  readonly retiredBy: string | null
  readonly retirementReason: string | null
}

/** One challenge to a host that asks to be enrolled; answered once or dead. */
export interface EnrollmentRecord {
  readonly id: string
  readonly name: string
  readonly nonce: Uint8Array
  /** What only the TPM that owns both keys can recover; never leaves the store but to be compared. */
  readonly secret: Uint8Array
  /** Null for a TPM without EK certificate, admitted by its key alone. */
  readonly endorsementCertificate: Uint8Array | null
  /** As the host sent it, and what was fetched above it. */
  readonly endorsementChain: readonly Uint8Array[]
  readonly endorsementPublic: Uint8Array
  readonly attestationPublic: Uint8Array
  /** PCRs of the SHA-256 bank that the quote was asked to cover. */
  readonly pcrs: readonly number[]
  /** `HostRecord.stateVersion` of this TPM's host when the challenge was made; 0 where there was none. */
  readonly hostStateVersion: number
  /** Set where the host has an HSM; then there are no endorsement and attestation keys, and no PCRs. */
  readonly hsm: HsmEnrollment | null
  readonly createdAt: number
  readonly expiresAt: number
}

export type Status = 'active' | 'revoked'

export interface HostRecord {
  readonly id: string
  readonly name: string
  /** Keyed hash of the EK's SubjectPublicKeyInfo: stable for a TPM, useless outside this service. */
  readonly endorsementId: string
  /** TPMT_PUBLIC of the attestation key of a TPM; empty of an HSM, whose keys are each proven by themselves. */
  readonly attestationPublic: Uint8Array
  readonly assurance: AssuranceLevel
  readonly status: Status
  readonly enrolledAt: number
  readonly attestedAt: number
  /** No credential of this host or its agents outlasts this. */
  readonly attestationExpiresAt: number
  /** Hex SHA-256 of the Evidence that the current Attestation Result rests on. */
  readonly evidenceSha256: string
  /** Hex SHA-256 of the signed EAR: what certificates name; null on a record from before they did. */
  readonly earSha256: string | null
  /** The stored verdict, JSON: every check with outcome and source. */
  readonly attestationResult: string
  /** The `AttestationRecord` with the Evidence behind it; null on a record from before Evidence was kept. */
  readonly attestationId: string | null
  /** What must carry over to the next attestation (`PlatformState`), JSON; null on a record from before. */
  readonly platformState: string | null
  /** Grows by one with each admission: whoever read an older state is told so. */
  readonly stateVersion: number
  /** RFC 7638 thumbprint of the host's attested key. */
  readonly jkt: string
  readonly revokedAt: number | null
  readonly revocationReason: string | null
  /** TCG vendor id of its TPM, as its EK certificate says; null where there is none. */
  readonly firmwareVendor: string | null
  /** TPMS_ATTEST.firmwareVersion as 16 hex digits; null where its hardware has none. */
  readonly firmwareVersion: string | null
  /** When a proof showed that the TPM was restarted since `attestedAt`; null while none did. */
  readonly restartSeenAt: number | null
}

/** What an operator registers: a kind of agent, where it may run, and what it may ask for. */
export interface AgentClassRecord extends TokenRules {
  readonly name: string
  readonly audiences: readonly string[]
  readonly scopes: readonly string[]
  /** Host ids that may run agents of this class; `['*']` admits every enrolled host. */
  readonly hosts: readonly string[]
  readonly tokenLifetimeSeconds: number
  readonly createdAt: number
  readonly createdBy: string
  /** Who answers for its agents; null where nobody was named. */
  readonly owner: string | null
  readonly environment: string
  readonly sensitivity: Sensitivity
}

/** Of what the agents of a class handle, least first. */
export type Sensitivity = 'public' | 'internal' | 'confidential' | 'restricted'

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
  /** The audiences that a relying party speaks for: it may look at tokens for these alone. */
  readonly audiences: readonly string[]
}

/** A public key that authenticates one client, as a JWK; found by its thumbprint. */
export interface ClientKeyRecord {
  /** RFC 7638 SHA-256 thumbprint, base64url. */
  readonly jkt: string
  /** Public JWK, JSON. */
  readonly jwk: string
  /**
   * When its host proved last, from its hardware, that it holds the key: at an enrolment, or for an agent. Null of
   * operators, and of records from before this was kept.
   */
  readonly provenAt: number | null
}

/** Somebody who can ask for something, with all that is known of it. */
export type Principal =
  | { readonly kind: 'operator'; readonly operator: OperatorRecord }
  | { readonly kind: 'host'; readonly host: HostRecord }
  | {
      readonly kind: 'agent'
      readonly agent: AgentRecord
      readonly host: HostRecord
      readonly agentClass: AgentClassRecord
    }

/** Whom a key or certificate speaks for, with all that the hot path must know about it. */
export type ClientRecord = Principal & { readonly key: ClientKeyRecord }

export type SubjectKind = 'operator' | 'host' | 'agent'

/** Trustworthiness tiers (draft-ietf-rats-ar4si-06 §3.2), best first; `none` claims nothing. */
export type AttestationStatus = 'affirming' | 'none' | 'warning' | 'contraindicated'

/** What a list shows of an attestation. */
export interface AttestationSummary {
  readonly id: string
  /** Null when it was refused before there was a host. */
  readonly hostId: string | null
  readonly enrollmentId: string
  /** The format of its Evidence: `tpm2`, `hsm-declared`. */
  readonly format: string
  /** Hex SHA-256 of `evidence`. */
  readonly evidenceSha256: string
  readonly status: AttestationStatus
  /** Digest of the Appraisal Policy it was held against. */
  readonly policyId: string
  readonly appraisedAt: number
  /** When it may be deleted; null while the number of its host's attestations decides. */
  readonly expiresAt: number | null
}

/** One Evidence with its verdict, kept so that it can be read, verified and appraised again. */
export interface AttestationRecord extends AttestationSummary {
  /** Conceptual Message Wrapper in JSON (RFC 9999 §3), as the host's answer was taken down. */
  readonly evidence: Uint8Array
  /** What the verifier knew and the Evidence does not hold, JSON: challenge, audience, state before. */
  readonly context: string
  /** The verdict, JSON. */
  readonly verdict: string
  /** The verdict as a signed EAR, compact JWS; empty for a refusal at a time when the key did not sign. */
  readonly ear: string
}

/** How many attestations are kept. */
export interface Retention {
  /** The newest of each host, one at least. */
  readonly perHost: number
  /** The newest of those that were refused. */
  readonly refused: number
}

/** One version of the Appraisal Policy; it never changes. */
export interface PolicyRecord {
  readonly version: number
  /** `sha256:` and the hex digest of `document`. */
  readonly id: string
  /** Canonical JSON. */
  readonly document: string
  readonly createdAt: number
  readonly createdBy: string
}

/** That a version was put into force. The last one counts. */
export interface PolicyActivation {
  /** 1, 2, 3 … without gaps. */
  readonly sequence: number
  readonly version: number
  readonly at: number
  readonly by: string
  /** The operator's JWS over digest and version; null where the service did it itself from its configuration. */
  readonly jws: string | null
}

/** What became of an EK without certificate. */
export type EndorsementStatus = 'pending' | 'approved' | 'listed' | 'refused'

/** An EK without certificate, in the queue or decided on. */
export interface EndorsementRecord {
  /** Keyed hash of the EK's SubjectPublicKeyInfo, as `HostRecord.endorsementId`. */
  readonly id: string
  /** `approved` from the queue, or `listed` before it ever came. */
  readonly status: EndorsementStatus
  /** The name under which a host showed it first; null when it was listed before. */
  readonly hostName: string | null
  readonly firstSeen: number
  readonly decidedAt: number | null
  readonly decidedBy: string | null
}

/** A certificate revocation list, or the answer of an OCSP responder. */
export type RevocationListKind = 'crl' | 'ocsp'

/** What a list shows of an issuer's word on revocation. */
export interface RevocationListSummary {
  /** Lower-case hex SHA-256 of its bytes. */
  readonly id: string
  readonly kind: RevocationListKind
  /** What of the issuer it is about; of each the newest is kept. */
  readonly slot: string
  /** Name of the issuer, for people. */
  readonly issuer: string
  /** Lower-case hex SHA-256 of the issuer's certificate, under whose key it was verified. */
  readonly issuerFingerprint: string
  /** Which certificates of the issuer, for people. */
  readonly scope: string
  /** CRL number (RFC 5280 §5.2.3); 0 for an OCSP response. */
  readonly number: bigint
  readonly thisUpdate: number
  /** When the next one is due at the latest; null where it does not say. */
  readonly nextUpdate: number | null
  /** Certificates that it says are revoked. */
  readonly revoked: number
  /** Where its bytes came from. */
  readonly source: string
  readonly addedAt: number
  readonly addedBy: string
}

/** An issuer's word as it is kept. */
export interface RevocationListRecord extends RevocationListSummary {
  /** DER. */
  readonly bytes: Uint8Array
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
