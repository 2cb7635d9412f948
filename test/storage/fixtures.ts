import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { AuthorityRecord } from '../../src/ports/authority.ts'
import type { CertificateRecord, ChallengeRecord } from '../../src/ports/credential-records.ts'
import type {
  AgentClassRecord,
  AgentRecord,
  AnchorRecord,
  AttestationRecord,
  AuditEntry,
  ClientKeyRecord,
  EndorsementRecord,
  EnrollmentRecord,
  HostRecord,
  OperatorRecord,
  PolicyRecord,
} from '../../src/ports/records.ts'
import type { RevocationCounts, RevocationTarget } from '../../src/ports/revocation.ts'
import type { KeptAttestation, Store } from '../../src/ports/store.ts'
import { openSqliteStore, type SqliteStoreOptions } from '../../src/storage/sqlite-store.ts'

export const logOrigin = 'log.example/assay'

/** PKCS#8 DER. */
export function createLogKey(): Uint8Array {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' })
}

export const logKey: Uint8Array = createLogKey()

export const now = 1_790_000_000_000
export const later: number = now + 3_600_000

/** A folder that is gone when the test ends. */
export function createFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-storage-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A store in memory, or wherever `options` say, closed when the test ends. */
export async function openStore(
  t: ExecutionContext,
  options: Partial<SqliteStoreOptions> = {},
): Promise<Store> {
  const store = await openSqliteStore({ path: ':memory:', logOrigin, logKey, ...options })
  t.teardown(async () => await store.close())
  return store
}

export function entry(type: string, subject = 'subject'): AuditEntry {
  return { type, time: now, actor: 'service', subject, detail: { note: 'é' } }
}

export function key(jkt: string): ClientKeyRecord {
  const jwk = JSON.stringify({ kty: 'EC', crv: 'P-256', x: jkt, y: jkt })
  return { jkt, jwk, provenAt: now }
}

/** Bytes in the middle of a larger buffer, as parsers give them. */
export function slice(...bytes: number[]): Uint8Array {
  return Buffer.from([0xee, ...bytes, 0xee]).subarray(1, bytes.length + 1)
}

export const anchor: AnchorRecord = {
  fingerprint: 'ab'.repeat(32),
  certificate: slice(0x30, 0x00, 0xff),
  vendor: 'id:49465800',
  name: 'Throwaway root',
  assurance: 'tpm-discrete',
  kind: 'root',
  status: 'active',
  source: 'given by hand',
  notAfter: now + 1_000,
  addedAt: now,
  addedBy: 'operator/1',
  sinceVersion: 1,
  untilVersion: null,
  approvedAt: now,
  approvedBy: 'operator/1',
  retiredAt: null,
  retiredBy: null,
  retirementReason: null,
}

/** The agent of {@link populate}, as it acts. */
export const agentClient = { kind: 'agent', id: 'agent-1', jkt: 'agent-key-1' } as const

export const operator: OperatorRecord = {
  id: 'operator-1',
  name: 'Ada',
  role: 'administrator',
  keyProtection: 'pkcs11',
  jkt: 'operator-key',
  status: 'active',
  createdAt: now,
  createdBy: 'service',
  audiences: ['https://api.example/'],
}

export const enrollment: EnrollmentRecord = {
  id: 'enrollment-1',
  name: 'rack 4',
  nonce: slice(1, 2, 3),
  secret: Buffer.from('a secret that only the TPM knows'),
  endorsementCertificate: slice(4, 5),
  endorsementChain: [slice(6), slice(), slice(7, 8)],
  endorsementPublic: slice(9),
  attestationPublic: slice(10),
  pcrs: [0, 7, 23],
  hsm: null,
  hostStateVersion: 0,
  createdAt: now,
  expiresAt: later,
}

export const host: HostRecord = {
  id: 'host-1',
  name: 'rack 4',
  endorsementId: 'endorsement-1',
  attestationPublic: slice(1, 2, 3, 4),
  assurance: 'tpm-firmware',
  status: 'active',
  enrolledAt: now,
  attestedAt: now,
  attestationExpiresAt: later,
  evidenceSha256: 'cd'.repeat(32),
  earSha256: 'ef'.repeat(32),
  attestationResult: '{"checks":[]}',
  jkt: 'host-key-1',
  revokedAt: null,
  revocationReason: null,
  attestationId: 'attestation-1',
  platformState: '{"resetCount":1}',
  stateVersion: 1,
  firmwareVendor: 'id:49465800',
  firmwareVersion: '0007005500000000',
  restartSeenAt: null,
}

export const attestation: AttestationRecord = {
  id: 'attestation-1',
  hostId: 'host-1',
  enrollmentId: 'enrollment-1',
  format: 'tpm2',
  evidence: slice(0x7b, 0x7d),
  evidenceSha256: 'cd'.repeat(32),
  context: '{}',
  verdict: '{"checks":[]}',
  ear: 'e30.e30.c2ln',
  status: 'affirming',
  policyId: `sha256:${'ef'.repeat(32)}`,
  appraisedAt: now,
  expiresAt: null,
}

/** The attestation, or one like it, under a retention. */
export function kept(
  changes: Partial<AttestationRecord> = {},
  retention = { perHost: 3, refused: 4 },
): KeptAttestation {
  return { attestation: { ...attestation, ...changes }, retention }
}

/** Admits a host with the attestation of its own name. */
export async function admit(
  store: Store,
  record: HostRecord = host,
  type = 'host.enrolled',
): Promise<string> {
  const id = `attestation-${record.id}-${record.stateVersion}-${record.jkt}`
  return await store.hosts.admit(
    record,
    key(record.jkt),
    kept({ id, hostId: record.id }),
    entry(type),
  )
}

export const policy: PolicyRecord = {
  version: 1,
  id: `sha256:${'ef'.repeat(32)}`,
  document: '{"rules":[]}',
  createdAt: now,
  createdBy: 'operator/1',
}

export const endorsement: EndorsementRecord = {
  id: 'endorsement-9',
  status: 'pending',
  hostName: 'rack 9',
  firstSeen: now,
  decidedAt: null,
  decidedBy: null,
}

export const agentClass: AgentClassRecord = {
  name: 'reporter',
  audiences: ['https://api.example/', 'https://ü.example/'],
  scopes: [],
  hosts: ['*'],
  tokenLifetimeSeconds: 300,
  owner: null,
  environment: 'default',
  sensitivity: 'internal',
  authorizationDetails: [{ type: 'ticket', actions: ['read'] }],
  clientIds: ['reporter@other'],
  createdAt: now,
  createdBy: 'operator/1',
}

export const agent: AgentRecord = {
  id: 'agent-1',
  className: 'reporter',
  hostId: 'host-1',
  status: 'pending',
  jkt: null,
  createdAt: now,
  createdBy: 'operator/1',
  revokedAt: null,
  revocationReason: null,
}

export const challenge: ChallengeRecord = {
  id: 'challenge-1',
  purpose: 'agent-key',
  subject: 'agent-1',
  nonce: slice(11, 12),
  expiresAt: later,
  stateVersion: 1,
}

export const certificate: CertificateRecord = {
  serial: '0a1b',
  subjectKind: 'agent',
  subjectId: 'agent-1',
  spiffeId: 'spiffe://assay.example/agent/1',
  jkt: 'agent-key-1',
  notBefore: now,
  notAfter: later,
  status: 'intended',
  x5t: null,
  attestationId: 'attestation-1',
  authorityId: 'authority-1',
  revokedAt: null,
  revocationReason: null,
  intendedAt: now,
  tbsSha256: 'ab'.repeat(32),
  renewal: null,
}

export const authority: AuthorityRecord = {
  id: 'authority-1',
  chain: [slice(1), slice(2)],
  rootId: 'root-1',
  keyReference: 'issuing.key.pem',
  state: 'active',
  bundleSequence: 0,
  preparedAt: now,
  preparedBy: 'service',
  activatedAt: now,
  changedAt: now,
  changedBy: 'service',
  reason: null,
  keyDestroyedAt: null,
}

export const revocation = { at: now + 1, reason: 'stolen' } as const

/** An authority, and one active host with one active agent, keys `host-key-1` and `agent-key-1`. */
export async function populate(store: Store): Promise<void> {
  await store.authorities.adopt(authority, entry('authority.activated'))
  await admit(store)
  await store.classes.create(agentClass, entry('class.created'))
  await store.agents.create(agent, challenge, entry('agent.created'))
  await store.agents.bindKey('agent-1', key('agent-key-1'), entry('agent.attested'))
}

/** Entries in the log, by its checkpoint. */
export async function logSize(store: Store): Promise<number> {
  return Number((await store.audit.checkpoint()).split('\n')[1])
}

/** How often each answer came. */
export function tally(answers: readonly unknown[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) {
    const word = typeof answer === 'string' ? answer : 'record'
    counts[word] = (counts[word] ?? 0) + 1
  }
  return counts
}

/** The same call a hundred times at once. */
export async function contend<T>(call: (n: number) => Promise<T>): Promise<T[]> {
  return await Promise.all(Array.from({ length: 100 }, (_, n) => call(n)))
}

/** Revokes as an operator would; what fell, or the word. */
export function revoke(
  store: Store,
  target: RevocationTarget,
  evidence?: KeptAttestation & { readonly stateVersion: number },
): Promise<RevocationCounts | string> {
  const act = {
    target,
    at: revocation.at,
    reasonCode: 'unspecified',
    reason: revocation.reason,
    author: 'op',
  } as const
  return store.revocations.revoke(act, entry(`${target.kind}.revoked`), evidence)
}
