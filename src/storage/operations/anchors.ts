import type { AnchorRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const insert = statement<AnchorRow>()((db, is) =>
  db
    .insertInto('anchors')
    .values({
      fingerprint: is.fingerprint,
      certificate: is.certificate,
      vendor: is.vendor,
      name: is.name,
      assurance: is.assurance,
      added_at: is.added_at,
      added_by: is.added_by,
    })
    .onConflict(conflict => conflict.column('fingerprint').doNothing()),
)

const listAll = statement<object>()(db =>
  db.selectFrom('anchors').selectAll().orderBy('added_at').orderBy('fingerprint'),
)

/** See `AnchorStore.add`. */
export async function addAnchor(
  tx: Transaction,
  anchor: AnchorRow,
  entry: string,
): Promise<'done' | 'exists'> {
  if ((await tx.run(insert, anchor)) === 0) return tx.refuse('exists')
  tx.append(entry)
  return 'done'
}

/** See `AnchorStore.list`; oldest first. */
export async function listAnchors(tx: Transaction): Promise<AnchorRow[]> {
  return await tx.all(listAll, {})
}
