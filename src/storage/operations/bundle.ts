import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const find = statement<object>()(db =>
  db.selectFrom('bundle_state').selectAll().where('id', '=', 1),
)

const insert = statement<{ sequence: number; keys_digest: string }>()((db, is) =>
  db
    .insertInto('bundle_state')
    .values({ id: 1, sequence: is.sequence, keys_digest: is.keys_digest }),
)

const update = statement<{ sequence: number; keys_digest: string }>()((db, is) =>
  db
    .updateTable('bundle_state')
    .set({ sequence: is.sequence, keys_digest: is.keys_digest })
    .where('id', '=', 1),
)

const findHost = statement<{ id: string }>()((db, is) =>
  db.selectFrom('hosts').select('status').where('id', '=', is.id),
)

const findAdoption = statement<{ host_id: string }>()((db, is) =>
  db.selectFrom('bundle_adoptions').selectAll().where('host_id', '=', is.host_id),
)

const insertAdoption = statement<{ host_id: string; sequence: number; at: number }>()((db, is) =>
  db
    .insertInto('bundle_adoptions')
    .values({ host_id: is.host_id, sequence: is.sequence, adopted_at: is.at }),
)

const updateAdoption = statement<{ host_id: string; sequence: number; at: number }>()((db, is) =>
  db
    .updateTable('bundle_adoptions')
    .set({ sequence: is.sequence, adopted_at: is.at })
    .where('host_id', '=', is.host_id),
)

/** A host whose Attestation Result has ended holds nothing that could still be shown to anybody. */
const listActive = statement<{ now: number }>()((db, is) =>
  db
    .selectFrom('hosts')
    .leftJoin('bundle_adoptions', 'bundle_adoptions.host_id', 'hosts.id')
    .select(['hosts.id', 'hosts.name', 'bundle_adoptions.sequence', 'bundle_adoptions.adopted_at'])
    .where('hosts.status', '=', 'active')
    .where('hosts.attestation_expires_at', '>', is.now)
    .orderBy('hosts.name'),
)

/** The sequence of the bundle; 0 before there is one. */
export async function bundleSequence(tx: Transaction): Promise<number> {
  return (await tx.first(find, {}))?.sequence ?? 0
}

/** Makes the next bundle; of other token keys where a digest is given. Answers its sequence. */
export async function nextBundle(tx: Transaction, digest?: string): Promise<number> {
  const now = await tx.first(find, {})
  const next = { sequence: (now?.sequence ?? 0) + 1, keys_digest: digest ?? now?.keys_digest ?? '' }
  await tx.run(now === undefined ? insert : update, next)
  return next.sequence
}

/** See `AuthorityStore.publishKeys`. */
export async function publishKeys(
  tx: Transaction,
  digest: string,
  entry: string,
): Promise<'done' | 'known'> {
  if ((await tx.first(find, {}))?.keys_digest === digest) return tx.refuse('known')
  await nextBundle(tx, digest)
  tx.append(entry)
  return 'done'
}

/** See `AuthorityStore.recordAdoption`. */
export async function recordAdoption(
  tx: Transaction,
  host_id: string,
  sequence: number,
  at: number,
  entry: string,
): Promise<'done' | 'known' | 'ahead' | 'host-revoked'> {
  if ((await tx.first(findHost, { id: host_id }))?.status !== 'active')
    return tx.refuse('host-revoked')
  if (sequence > (await bundleSequence(tx))) return tx.refuse('ahead')
  const kept = await tx.first(findAdoption, { host_id })
  if (kept !== undefined && kept.sequence >= sequence) return tx.refuse('known')
  await tx.run(kept === undefined ? insertAdoption : updateAdoption, { host_id, sequence, at })
  tx.append(entry)
  return 'done'
}

/** One host and the bundle that it keeps; null before it kept one. */
export interface AdoptionRow {
  readonly id: string
  readonly name: string
  readonly sequence: number | null
  readonly adopted_at: number | null
}

/** See `AuthorityStore.listAdoptions`. */
export async function listAdoptions(tx: Transaction, now: number): Promise<AdoptionRow[]> {
  return await tx.all(listActive, { now })
}
