import type { ClientStore, TokenStore } from './client-store.ts'
import type { CertificateStatusStore } from './certificate-status.ts'
import type { CertificateStore, ChallengeStore } from './certificate-store.ts'
import type { AuthorityStore } from './authority.ts'
import type { GrantRequestStore } from './grant-requests.ts'
import type { FederationStore } from './federation.ts'
import type { HsmKeyRecord } from './hsm-records.ts'
import type { HostLabelsRecord, RiskRecord, RiskSubject } from './mark-records.ts'
import type { RevocationStore } from './revocation.ts'
import type { TokenKeyStore } from './token-key.ts'
import type { StatusStore } from './status-store.ts'
import type { ChallengeRecord } from './credential-records.ts'
import type {
  AgentClassRecord,
  AgentRecord,
  AnchorRecord,
  AttestationRecord,
  AttestationSummary,
  AuditEntry,
  ClientKeyRecord,
  EndorsementRecord,
  EnrollmentRecord,
  HostRecord,
  OperatorRecord,
  PolicyActivation,
  PolicyRecord,
  Retention,
  RevocationListKind,
  RevocationListRecord,
  RevocationListSummary,
} from './records.ts'

/**
 * Durable state. Each method is one transaction, and a method that takes an {@link AuditEntry} commits the entry in
 * the same transaction: when its promise resolves, both are on disk. A method that answers with a word other than
 * `'done'` has changed nothing and written no entry.
 *
 * Rejects with `StoreError` (`store-unavailable`, `store-overloaded`) and nothing else.
 */
export interface Store {
  readonly anchors: AnchorStore
  readonly operators: OperatorStore
  readonly enrollments: EnrollmentStore
  readonly hosts: HostStore
  readonly attestations: AttestationStore
  /** Of the Appraisal Policy. */
  readonly policies: PolicyStore
  /** Of the authorization policies. */
  readonly authorizationPolicies: PolicyStore
  readonly marks: MarkStore
  readonly grantRequests: GrantRequestStore
  readonly endorsements: EndorsementStore
  readonly hsmKeys: HsmKeyStore
  readonly revocationLists: RevocationListStore
  readonly revocations: RevocationStore
  readonly statusLists: StatusStore
  readonly authorities: AuthorityStore
  readonly tokenKeys: TokenKeyStore
  readonly federations: FederationStore
  readonly classes: AgentClassStore
  readonly agents: AgentStore
  readonly challenges: ChallengeStore
  readonly certificates: CertificateStore
  readonly certificateStatus: CertificateStatusStore
  readonly clients: ClientStore
  readonly tokens: TokenStore
  readonly audit: AuditStore
  /** Resolves when a write can be made durable now; rejects otherwise. For `/readyz`. */
  ping(): Promise<void>
  /** Deletes what is past its time: enrolments, challenges, replay keys, refused attestations. */
  sweep(now: number): Promise<void>
  close(): Promise<void>
}

export interface AnchorStore {
  /** Admits at once: the set gets a new version. `'exists'` for a certificate that is known, whatever its status. */
  add(anchor: AnchorRecord, entry: AuditEntry): Promise<'done' | 'exists' | 'revoked'>
  /** Keeps what is not known yet as proposed; answers the fingerprints that were new. */
  propose(anchors: readonly AnchorRecord[], entry: AuditEntry): Promise<readonly string[]>
  /** All of them, or none: makes proposed or retired anchors active in one new version of the set. */
  approve(
    fingerprints: readonly string[],
    change: { readonly at: number; readonly by: string },
    ...entries: AuditEntry[]
  ): Promise<{ readonly version: number } | 'unknown' | 'already' | 'revoked'>
  /** Takes an active anchor out of the set, or a proposed one off the table. */
  retire(
    fingerprint: string,
    change: { readonly at: number; readonly by: string; readonly reason: string },
    entry: AuditEntry,
  ): Promise<{ readonly version: number } | 'unknown' | 'already'>
  /** Every certificate that was ever proposed or admitted, oldest first. */
  list(): Promise<AnchorRecord[]>
  /** Those in force now; the same records as before for as long as the set is the same. */
  listActive(): Promise<readonly AnchorRecord[]>
}

export interface OperatorStore {
  add(
    operator: OperatorRecord,
    key: ClientKeyRecord,
    entry: AuditEntry,
  ): Promise<'done' | 'key-in-use'>
  list(): Promise<OperatorRecord[]>
}

export interface EnrollmentStore {
  create(enrollment: EnrollmentRecord, entry: AuditEntry): Promise<'done'>
  /** Whether an answer would be looked at: the challenge is there, not taken, in its time. Decides nothing. */
  isOpen(id: string, now: number): Promise<boolean>
  /**
   * Takes the challenge out for good, before anything is verified: of a hundred simultaneous callers one gets the
   * record, the others `'used'`. A taken or expired challenge keeps its id for as long as `expiresAt` says; a taken
   * one neither its secret nor the keys of the machine.
   */
  take(id: string, now: number): Promise<EnrollmentRecord | 'unknown' | 'used' | 'expired'>
  /** Records why an enrolment ended without a host: the verdict's checks are in the entry, the Evidence beside it. */
  refuse(id: string, entry: AuditEntry, kept?: KeptAttestation): Promise<'done'>
}

/** An attestation to keep, and for how long. */
export interface KeptAttestation {
  readonly attestation: AttestationRecord
  readonly retention: Retention
}

export interface HostStore {
  find(id: string): Promise<HostRecord | undefined>
  findByEndorsement(endorsementId: string): Promise<HostRecord | undefined>
  list(): Promise<HostRecord[]>
  findByName(name: string): Promise<HostRecord | undefined>
  /**
   * Inserts, or renews the record with the same `endorsementId` and `id` (which keeps its `enrolledAt`), and keeps
   * the attestation. Answers `'revoked'` when that TPM's host was revoked; `'state-changed'` unless `stateVersion`
   * is one more than the stored one (1 where there is none), so that of simultaneous admissions one counts;
   * `'name-in-use'` when another active host has the name; `'key-in-use'` when the key speaks for somebody else;
   * `'endorsement-revoked'`, `'anchor-revoked'`, `'firmware-revoked'` when an act of revocation bars its EK, one of
   * `anchors` (fingerprints of the certificates above its EK), or its firmware; `'hsm-key-retired'` unless `hsmKey`
   * (thumbprint of the registered attestation key that vouched, where one did) is in use. A former key stops authenticating it.
   */
  admit(
    host: HostRecord,
    key: ClientKeyRecord,
    kept: KeptAttestation,
    entry: AuditEntry,
    anchors?: readonly string[],
    hsmKey?: string | null,
  ): Promise<
    | 'done'
    | 'hsm-key-retired'
    | 'revoked'
    | 'state-changed'
    | 'name-in-use'
    | 'key-in-use'
    | 'endorsement-revoked'
    | 'anchor-revoked'
    | 'firmware-revoked'
  >
  /**
   * Marks a host as seen in another boot than the one that it attested, until it is admitted again. `'unchanged'` where
   * it is marked, or was admitted since `stateVersion`.
   */
  markRestarted(id: string, stateVersion: number, entry: AuditEntry): Promise<'done' | 'unchanged'>
}

/** Evidence and verdicts, written by `HostStore.admit`, `RevocationStore.revoke` and `EnrollmentStore.refuse`. */
export interface AttestationStore {
  find(id: string): Promise<AttestationRecord | undefined>
  /** Newest first; all hosts' and the refused ones' where `hostId` is null. */
  list(hostId: string | null, limit: number): Promise<AttestationSummary[]>
}

/** Versions of a policy, and which of them is in force. */
export interface PolicyStore {
  /** `'conflict'` unless `version` is one more than the highest. */
  add(policy: PolicyRecord, entry: AuditEntry): Promise<'done' | 'conflict'>
  find(version: number): Promise<PolicyRecord | undefined>
  /** Oldest first. */
  list(): Promise<PolicyRecord[]>
  /** The policy in force; undefined before the first activation. */
  findActive(): Promise<
    { readonly policy: PolicyRecord; readonly activation: PolicyActivation } | undefined
  >
  /** `'conflict'` unless `sequence` is one more than the highest: somebody else activated meanwhile. */
  activate(
    activation: PolicyActivation,
    entry: AuditEntry,
  ): Promise<'done' | 'unknown' | 'conflict'>
  /** Every activation, oldest first. */
  listActivations(): Promise<PolicyActivation[]>
}

/** What operators write down of subjects, for authorization policies to read. */
export interface MarkStore {
  /** In place of those the host had. */
  setLabels(labels: HostLabelsRecord, entry: AuditEntry): Promise<'done' | 'unknown'>
  /** In place of the one the subject had. */
  setRisk(risk: RiskRecord, entry: AuditEntry): Promise<'done' | 'unknown'>
  clearRisk(kind: RiskSubject, id: string, entry: AuditEntry): Promise<'done' | 'unknown'>
  /** All of them, expired scores too. */
  load(): Promise<{
    readonly labels: readonly HostLabelsRecord[]
    readonly risks: readonly RiskRecord[]
  }>
}

/** EKs without certificate. */
export interface EndorsementStore {
  find(id: string): Promise<EndorsementRecord | undefined>
  /** Pending ones first, then the newest decisions. */
  list(): Promise<EndorsementRecord[]>
  /** Puts a pending record into the queue; `'full'` when `limit` of them wait already. */
  enqueue(
    endorsement: EndorsementRecord,
    limit: number,
    entry: AuditEntry,
  ): Promise<'done' | 'exists' | 'full'>
  /** Lists an EK before it is seen, or decides on one that waits or was decided on before. */
  decide(
    id: string,
    decision: {
      readonly status: 'approved' | 'listed' | 'refused'
      readonly at: number
      readonly by: string
    },
    entry: AuditEntry,
  ): Promise<'done' | 'unknown'>
}

/** What issuers of endorsement key certificates said of revocation: of each slot the newest word. */
export interface HsmKeyStore {
  /** `'exists'` for a key that was registered before, also where it is retired: its name is its thumbprint. */
  add(key: HsmKeyRecord, entry: AuditEntry): Promise<'done' | 'exists'>
  /** Newest first, retired ones among them. */
  list(): Promise<HsmKeyRecord[]>
  retire(
    jkt: string,
    change: { readonly at: number; readonly by: string; readonly reason: string },
    entry: AuditEntry,
  ): Promise<'done' | 'unknown' | 'already'>
}

export interface RevocationListStore {
  /**
   * Keeps it in place of the one of its slot. `'older'` unless its number, or with the same number its `thisUpdate`,
   * is above that of the one that is kept; `'known'` for the very bytes that are.
   */
  put(list: RevocationListRecord, entry: AuditEntry): Promise<'done' | 'known' | 'older'>
  /** By name of the issuer. */
  list(): Promise<RevocationListSummary[]>
  /** All that are kept at one moment; without bytes those whose id the caller knows. */
  current(known: readonly string[]): Promise<
    {
      readonly id: string
      readonly kind: RevocationListKind
      readonly bytes: Uint8Array | null
    }[]
  >
}

export interface AgentClassStore {
  create(agentClass: AgentClassRecord, entry: AuditEntry): Promise<'done' | 'exists'>
  find(name: string): Promise<AgentClassRecord | undefined>
  list(): Promise<AgentClassRecord[]>
}

export interface AgentStore {
  /** `'host-revoked'`, `'class-revoked'` when host or class is no longer in use inside the transaction. */
  create(
    agent: AgentRecord,
    challenge: ChallengeRecord,
    entry: AuditEntry,
  ): Promise<'done' | 'host-revoked' | 'class-revoked'>
  find(id: string): Promise<AgentRecord | undefined>
  list(): Promise<AgentRecord[]>
  /** Makes the attested key the agent's key; a former key stops authenticating it. `hsmKey` as for `HostStore.admit`. */
  bindKey(
    id: string,
    key: ClientKeyRecord,
    entry: AuditEntry,
    hsmKey?: string | null,
  ): Promise<'done' | 'unknown' | 'revoked' | 'host-revoked' | 'key-in-use' | 'hsm-key-retired'>
}

export interface AuditStore {
  /** Appends an entry that has no state change of its own. */
  append(entry: AuditEntry): Promise<void>
  /** The newest signed checkpoint (C2SP tlog-checkpoint), text of a signed note. */
  checkpoint(): Promise<string>
  /** Hash tile bytes (C2SP tlog-tiles), `width` hashes; undefined when the tree is smaller. */
  tile(level: number, index: number, width: number): Promise<Uint8Array | undefined>
  /** Entry bundle (C2SP tlog-tiles), `width` entries each with its 16-bit length; undefined when the tree is smaller. */
  entryBundle(index: number, width: number): Promise<Uint8Array | undefined>
}
