import type { ClientKeyRow, HostAnchorRow, HostRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { keepAttestation, type KeptRow } from './attestations.ts'
import { isForeignKey, replaceKey } from './client-keys.ts'
import { findBarredFirmware, isBarred } from './revocation-bars.ts'
import { isHsmKeyRetired } from './hsm-keys.ts'

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
    restart_seen_at: is.restart_seen_at,
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
      restart_seen_at: is.restart_seen_at,
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

const insertAnchor = statement<HostAnchorRow>()((db, is) =>
  db.insertInto('host_anchors').values({ fingerprint: is.fingerprint, host_id: is.host_id }),
)

const dropAnchors = statement<{ host_id: string }>()((db, is) =>
  db.deleteFrom('host_anchors').where('host_id', '=', is.host_id),
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

const markRestarted = statement<{ id: string; state_version: number; at: number }>()((db, is) =>
  db
    .updateTable('hosts')
    .set({ restart_seen_at: is.at })
    .where('id', '=', is.id)
    .where('state_version', '=', is.state_version)
    .where('restart_seen_at', 'is', null),
)

/** See `HostStore.markRestarted`. */
export async function markHostRestarted(
  tx: Transaction,
  id: string,
  state_version: number,
  at: number,
  entry: string,
): Promise<'done' | 'unchanged'> {
  if ((await tx.run(markRestarted, { id, state_version, at })) === 0) return tx.refuse('unchanged')
  tx.append(entry)
  return 'done'
}

/** On whose word hardware is genuine. */
interface Vouchers {
  /** Fingerprints of certificates. */
  readonly anchors: readonly string[]
  /** Thumbprint of a registered attestation key; null where none vouched. */
  readonly hsmKey: string | null
}

/** See `HostStore.admit`. */
export async function admitHost(
  tx: Transaction,
  host: HostRow,
  key: ClientKeyRow,
  kept: KeptRow,
  { anchors, hsmKey }: Vouchers,
  entry: string,
): Promise<
  'done' | 'revoked' | 'state-changed' | 'name-in-use' | 'key-in-use' | 'hsm-key-retired' | Bar
> {
  const known = await tx.first(findByEndorsement, host)
  if (known !== undefined && known.status !== 'active') return tx.refuse('revoked')
  const bar = await findBar(tx, host, anchors)
  if (bar !== undefined) return tx.refuse(bar)
  if (await isHsmKeyRetired(tx, hsmKey)) return tx.refuse('hsm-key-retired')
  if (!isNext(host, known)) return tx.refuse('state-changed')
  const namesake = await tx.first(findByName, host)
  if (namesake !== undefined && namesake.id !== host.id) return tx.refuse('name-in-use')
  if (await isForeignKey(tx, key)) return tx.refuse('key-in-use')
  await tx.run(known === undefined ? insert : renew, host)
  await replaceKey(tx, key, known?.jkt ?? null, host.attested_at)
  await tx.run(dropAnchors, { host_id: host.id })
  for (const fingerprint of anchors) await tx.run(insertAnchor, { fingerprint, host_id: host.id })
  await keepAttestation(tx, kept)
  tx.append(entry)
  return 'done'
}

/** What of a host was revoked by itself, whoever comes with it. */
type Bar = 'endorsement-revoked' | 'anchor-revoked' | 'firmware-revoked'

async function findBar(
  tx: Transaction,
  host: HostRow,
  anchors: readonly string[],
): Promise<Bar | undefined> {
  if (await isBarred(tx, 'endorsement', host.endorsement_id)) return 'endorsement-revoked'
  for (const anchor of anchors) if (await isBarred(tx, 'anchor', anchor)) return 'anchor-revoked'
  const firmware = await findBarredFirmware(tx, host.firmware_vendor, host.firmware_version)
  return firmware === undefined ? undefined : 'firmware-revoked'
}

/** Whether a record was made from the one that is stored now. */
function isNext(host: HostRow, known: HostRow | undefined): boolean {
  if (known !== undefined && known.id !== host.id) return false
  return host.state_version === (known?.state_version ?? 0) + 1
}
