import { shardOf } from '../../core/revocation/location.ts'
import type { CertificateListRow } from '../certificate-list-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

interface Place {
  readonly authority_id: string
  readonly shard: number
}

const open = statement<Place>()((db, is) =>
  db
    .insertInto('certificate_lists')
    .values({
      authority_id: is.authority_id,
      shard: is.shard,
      last_number: 1,
      number: 0,
      this_update: 0,
      next_update: 0,
      revoked: 0,
      counted: 0,
      sha256: '',
      bytes: new Uint8Array(),
    })
    .onConflict(conflict =>
      conflict
        .columns(['authority_id', 'shard'])
        .doUpdateSet(e => ({ last_number: e('certificate_lists.last_number', '+', 1) })),
    ),
)

const find = statement<Place>()((db, is) =>
  db
    .selectFrom('certificate_lists')
    .selectAll()
    .where('authority_id', '=', is.authority_id)
    .where('shard', '=', is.shard),
)

const revokedSince = statement<{ authority_id: string; since: number }>()((db, is) =>
  db
    .selectFrom('certificates')
    .select(['serial', 'not_after', 'revoked_at', 'revocation_reason'])
    .where('authority_id', '=', is.authority_id)
    .where('revoked_at', 'is not', null)
    .where('not_after', '>', is.since)
    .orderBy('serial'),
)

const replace = statement<CertificateListRow>()((db, is) =>
  db
    .updateTable('certificate_lists')
    .set({
      number: is.number,
      this_update: is.this_update,
      next_update: is.next_update,
      revoked: is.revoked,
      counted: is.counted,
      sha256: is.sha256,
      bytes: is.bytes,
    })
    .where('authority_id', '=', is.authority_id)
    .where('shard', '=', is.shard)
    .where('number', '<', is.number),
)

const listAll = statement<object>()(db =>
  db
    .selectFrom('certificate_lists')
    .select(['authority_id', 'shard', 'number', 'this_update', 'next_update', 'revoked', 'sha256'])
    .where('number', '>', 0)
    .orderBy('authority_id')
    .orderBy('shard'),
)

const agesOf = statement<{ authority_id: string }>()((db, is) =>
  db
    .selectFrom('certificate_lists')
    .select(['shard', 'this_update', 'next_update', 'counted'])
    .where('authority_id', '=', is.authority_id)
    .where('number', '>', 0),
)

/** A certificate as it goes onto a list. */
export interface ListEntryRow {
  serial: string
  not_after: number
  revoked_at: number | null
  revocation_reason: string | null
}

/** See `CertificateStatusStore.draft`. What was over before the list that is published is left out (RFC 5280 §3.3). */
export async function draftCertificateList(
  tx: Transaction,
  place: Place,
  at: number,
): Promise<{ number: number; counted: number; entries: ListEntryRow[] }> {
  await tx.run(open, place)
  const row = await tx.first(find, place)
  if (row === undefined) throw new TypeError('the row was written just now')
  const { authority_id } = place
  const since = Math.min(row.this_update, at)
  const all = await tx.all(revokedSince, { authority_id, since })
  const entries = all.filter(({ serial }) => shardOf(serial) === place.shard)
  const counted = entries.filter(({ not_after }) => not_after > at).length
  return { number: row.last_number, counted, entries }
}

/** See `CertificateStatusStore.publish`. */
export async function publishCertificateList(
  tx: Transaction,
  list: CertificateListRow,
  entry: string,
): Promise<'done' | 'older'> {
  if ((await tx.run(replace, list)) === 0) return tx.refuse('older')
  tx.append(entry)
  return 'done'
}

/** See `CertificateStatusStore.find`. */
export async function findCertificateList(
  tx: Transaction,
  place: Place,
): Promise<CertificateListRow | undefined> {
  const row = await tx.first(find, place)
  return row === undefined || row.number === 0 ? undefined : row
}

/** See `CertificateStatusStore.list`. */
export async function listCertificateLists(
  tx: Transaction,
): Promise<Omit<CertificateListRow, 'last_number' | 'counted' | 'bytes'>[]> {
  return await tx.all(listAll, {})
}

/** See `CertificateStatusStore.listDue`. What was not over at the time of a list can only have become more. */
export async function listDueCertificateLists(
  tx: Transaction,
  authority_id: string,
  dueBefore: number,
  shards: number,
): Promise<number[]> {
  const lists = await tx.all(agesOf, { authority_id })
  const since = Math.min(...lists.map(list => list.this_update))
  const revoked = lists.length === 0 ? [] : await tx.all(revokedSince, { authority_id, since })
  const byShard = Map.groupBy(revoked, ({ serial }) => shardOf(serial))
  const isCurrent = new Set(
    lists
      .filter(({ shard, this_update, next_update, counted }) => {
        const now = byShard.get(shard)?.filter(({ not_after }) => not_after > this_update).length
        return next_update >= dueBefore && (now ?? 0) === counted
      })
      .map(({ shard }) => shard),
  )
  return Array.from({ length: shards }, (_, shard) => shard).filter(shard => !isCurrent.has(shard))
}
