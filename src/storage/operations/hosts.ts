import type { ClientKeyRow, HostRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { keepAttestation, type KeptRow } from './attestations.ts'
import { isForeignKey, replaceKey } from './client-keys.ts'

const insert = statement<HostRow>()((db, is) =>
  db.insertInto('hosts').values({
    id: is.id,
    name: is.name,
    endorsement_id: is.endorsement_id,
    attestation_public: is.attestation_public,
    assurance: is.assurance,
    status: is.status,
    enrolled_at: is.enrolled_at,
    attested_at: is.attested_at,
    attestation_expires_at: is.attestation_expires_at,
    evidence_sha256: is.evidence_sha256,
    ear_sha256: is.ear_sha256,
    attestation_result: is.attestation_result,
    jkt: is.jkt,
    revoked_at: is.revoked_at,
    revocation_reason: is.revocation_reason,
    attestation_id: is.attestation_id,
    platform_state: is.platform_state,
    state_version: is.state_version,
    firmware_vendor: is.firmware_vendor,
    firmware_version: is.firmware_version,
  }),
)

const renew = statement<HostRow>()((db, is) =>
  db
    .updateTable('hosts')
    .set({
      name: is.name,
      attestation_public: is.attestation_public,
      assurance: is.assurance,
      attested_at: is.attested_at,
      attestation_expires_at: is.attestation_expires_at,
      evidence_sha256: is.evidence_sha256,
      ear_sha256: is.ear_sha256,
      attestation_result: is.attestation_result,
      jkt: is.jkt,
      attestation_id: is.attestation_id,
      platform_state: is.platform_state,
      state_version: is.state_version,
      firmware_vendor: is.firmware_vendor,
      firmware_version: is.firmware_version,
    })
    .where('id', '=', is.id),
)

const find = statement<{ id: string }>()((db, is) =>
  db.selectFrom('hosts').selectAll().where('id', '=', is.id),
)

const findByEndorsement = statement<{ endorsement_id: string }>()((db, is) =>
  db.selectFrom('hosts').selectAll().where('endorsement_id', '=', is.endorsement_id),
)

const findByName = statement<{ name: string }>()((db, is) =>
  db.selectFrom('hosts').selectAll().where('name', '=', is.name).where('status', '=', 'active'),
)

const listAll = statement<object>()(db =>
  db.selectFrom('hosts').selectAll().orderBy('enrolled_at').orderBy('id'),
)

const revoke = statement<{ id: string; at: number; reason: string }>()((db, is) =>
  db
    .updateTable('hosts')
    .set({ status: 'revoked', revoked_at: is.at, revocation_reason: is.reason })
    .where('id', '=', is.id)
    .where('status', '=', 'active'),
)

const revokeAgents = statement<{ host_id: string; at: number; reason: string }>()((db, is) =>
  db
    .updateTable('agents')
    .set({ status: 'revoked', revoked_at: is.at, revocation_reason: is.reason })
    .where('host_id', '=', is.host_id)
    .where('status', '!=', 'revoked'),
)

const revokeHostCertificates = statement<{ id: string; at: number }>()((db, is) =>
  db
    .updateTable('certificates')
    .set({ status: 'revoked', revoked_at: is.at, revocation_reason: 'unspecified' })
    .where('subject_id', '=', is.id)
    .where('subject_kind', '=', 'host')
    .where('not_after', '>', is.at)
    .where('status', 'in', ['intended', 'issued']),
)

const revokeAgentCertificates = statement<{ id: string; at: number }>()((db, is) =>
  db
    .updateTable('certificates')
    .set({ status: 'revoked', revoked_at: is.at, revocation_reason: 'unspecified' })
    .where('subject_id', 'in', q =>
      q.selectFrom('agents').select('agents.id').where('host_id', '=', is.id),
    )
    .where('subject_kind', '=', 'agent')
    .where('not_after', '>', is.at)
    .where('status', 'in', ['intended', 'issued']),
)

/** See `HostStore.find`. */
export async function findHost(tx: Transaction, id: string): Promise<HostRow | undefined> {
  return await tx.first(find, { id })
}

/** See `HostStore.findByEndorsement`. */
export async function findHostByEndorsement(
  tx: Transaction,
  endorsement_id: string,
): Promise<HostRow | undefined> {
  return await tx.first(findByEndorsement, { endorsement_id })
}

/** See `HostStore.list`; oldest first. */
export async function listHosts(tx: Transaction): Promise<HostRow[]> {
  return await tx.all(listAll, {})
}

/** See `HostStore.findByName`; active hosts only. */
export async function findHostByName(tx: Transaction, name: string): Promise<HostRow | undefined> {
  return await tx.first(findByName, { name })
}

/** See `HostStore.admit`. */
export async function admitHost(
  tx: Transaction,
  host: HostRow,
  key: ClientKeyRow,
  kept: KeptRow,
  entry: string,
): Promise<'done' | 'revoked' | 'state-changed' | 'name-in-use' | 'key-in-use'> {
  const known = await tx.first(findByEndorsement, host)
  if (known !== undefined && known.status !== 'active') return tx.refuse('revoked')
  if (!isNext(host, known)) return tx.refuse('state-changed')
  const namesake = await tx.first(findByName, host)
  if (namesake !== undefined && namesake.id !== host.id) return tx.refuse('name-in-use')
  if (await isForeignKey(tx, key)) return tx.refuse('key-in-use')
  await tx.run(known === undefined ? insert : renew, host)
  await replaceKey(tx, key, known?.jkt ?? null, host.attested_at)
  await keepAttestation(tx, kept)
  tx.append(entry)
  return 'done'
}

/** Whether a record was made from the one that is stored now. */
function isNext(host: HostRow, known: HostRow | undefined): boolean {
  if (known !== undefined && known.id !== host.id) return false
  return host.state_version === (known?.state_version ?? 0) + 1
}

/** See `HostStore.revoke`. Counts the certificates that would have been good for longer. */
export async function revokeHost(
  tx: Transaction,
  id: string,
  change: { readonly at: number; readonly reason: string },
  evidence: (KeptRow & { readonly stateVersion: number }) | null,
  entry: string,
): Promise<{ agents: number; certificates: number } | 'unknown' | 'already' | 'state-changed'> {
  const host = await tx.first(find, { id })
  if (host === undefined) return tx.refuse('unknown')
  if (evidence !== null && evidence.stateVersion !== host.state_version)
    return tx.refuse('state-changed')
  if ((await tx.run(revoke, { id, ...change })) === 0) return tx.refuse('already')
  if (evidence !== null) await keepAttestation(tx, evidence)
  const agents = await tx.run(revokeAgents, { host_id: id, ...change })
  const own = await tx.run(revokeHostCertificates, { id, at: change.at })
  const theirs = await tx.run(revokeAgentCertificates, { id, at: change.at })
  tx.append(entry)
  return { agents, certificates: own + theirs }
}
