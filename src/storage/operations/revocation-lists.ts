import type { RevocationListRow } from '../policy-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

/** All of a row but its bytes. */
export type RevocationListSummaryRow = Omit<RevocationListRow, 'bytes'>

const insert = statement<RevocationListRow>()((db, is) =>
  db.insertInto('revocation_lists').values({
    slot: is.slot,
    id: is.id,
    kind: is.kind,
    issuer: is.issuer,
    issuer_fingerprint: is.issuer_fingerprint,
    scope: is.scope,
    number: is.number,
    this_update: is.this_update,
    next_update: is.next_update,
    revoked: is.revoked,
    bytes: is.bytes,
    source: is.source,
    added_at: is.added_at,
    added_by: is.added_by,
  }),
)

const remove = statement<{ slot: string }>()((db, is) =>
  db.deleteFrom('revocation_lists').where('slot', '=', is.slot),
)

const findAge = statement<{ slot: string }>()((db, is) =>
  db
    .selectFrom('revocation_lists')
    .select(['id', 'number', 'this_update'])
    .where('slot', '=', is.slot),
)

const listAll = statement<object>()(db =>
  db
    .selectFrom('revocation_lists')
    .select([
      'slot',
      'id',
      'kind',
      'issuer',
      'issuer_fingerprint',
      'scope',
      'number',
      'this_update',
      'next_update',
      'revoked',
      'source',
      'added_at',
      'added_by',
    ])
    .orderBy('issuer')
    .orderBy('slot'),
)

const listIds = statement<object>()(db =>
  db.selectFrom('revocation_lists').select(['id', 'kind']).orderBy('slot'),
)

const readBytes = statement<{ id: string }>()((db, is) =>
  db.selectFrom('revocation_lists').select('bytes').where('id', '=', is.id),
)

/** See `RevocationListStore.put`. */
export async function putRevocationList(
  tx: Transaction,
  list: RevocationListRow,
  entry: string,
): Promise<'done' | 'known' | 'older'> {
  const kept = await tx.first(findAge, list)
  if (kept?.id === list.id) return tx.refuse('known')
  if (kept !== undefined && !isNewer(list, kept)) return tx.refuse('older')
  if (kept !== undefined) await tx.run(remove, list)
  await tx.run(insert, list)
  tx.append(entry)
  return 'done'
}

type Age = Pick<RevocationListRow, 'number' | 'this_update'>

/** Numbers all have one width, so that their texts compare as they do. */
function isNewer(list: Age, kept: Age): boolean {
  if (list.number !== kept.number) return list.number > kept.number
  return list.this_update > kept.this_update
}

/** See `RevocationListStore.list`. */
export async function listRevocationLists(tx: Transaction): Promise<RevocationListSummaryRow[]> {
  return await tx.all(listAll, {})
}

/** See `RevocationListStore.current`. */
export async function currentRevocationLists(
  tx: Transaction,
  ...known: readonly string[]
): Promise<{ id: string; kind: string; bytes: Uint8Array | null }[]> {
  const rows: { id: string; kind: string; bytes: Uint8Array | null }[] = []
  for (const { id, kind } of await tx.all(listIds, {})) {
    const bytes = known.includes(id) ? undefined : (await tx.first(readBytes, { id }))?.bytes
    rows.push({ id, kind, bytes: bytes ?? null })
  }
  return rows
}
