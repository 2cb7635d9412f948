import type { ClientKeyRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { supersedeKey } from './revocation-acts.ts'

const find = statement<{ jkt: string }>()((db, is) =>
  db.selectFrom('client_keys').selectAll().where('jkt', '=', is.jkt),
)

const insert = statement<ClientKeyRow>()((db, is) =>
  db.insertInto('client_keys').values({
    jkt: is.jkt,
    kind: is.kind,
    subject_id: is.subject_id,
    jwk: is.jwk,
    retired: is.retired,
    proven_at: is.proven_at,
  }),
)

const retire = statement<{ kind: string; subject_id: string; jkt: string }>()((db, is) =>
  db
    .updateTable('client_keys')
    .set({ retired: 1 })
    .where('jkt', '=', is.jkt)
    .where('kind', '=', is.kind)
    .where('subject_id', '=', is.subject_id),
)

const restore = statement<{ jkt: string; proven_at: number | null }>()((db, is) =>
  db
    .updateTable('client_keys')
    .set({ retired: 0, proven_at: is.proven_at })
    .where('jkt', '=', is.jkt),
)

/** Whether a thumbprint speaks, or once spoke, for anybody but this subject. */
export async function isForeignKey(tx: Transaction, key: ClientKeyRow): Promise<boolean> {
  const known = await tx.first(find, { jkt: key.jkt })
  return known !== undefined && (known.kind !== key.kind || known.subject_id !== key.subject_id)
}

/**
 * Makes `key` the one key of its subject in place of `former`, which authenticates nobody from now on; its certificates
 * and tokens fall at `at`. Asks for {@link isForeignKey} first.
 */
export async function replaceKey(
  tx: Transaction,
  key: ClientKeyRow,
  former: string | null,
  at: number,
): Promise<void> {
  const { kind, subject_id } = key
  if (former !== null && former !== key.jkt) {
    await tx.run(retire, { kind, subject_id, jkt: former })
    await supersedeKey(tx, { kind, subject_id, jkt: former }, at)
  }
  const known = await tx.first(find, { jkt: key.jkt })
  if (known === undefined) await tx.run(insert, key)
  else await tx.run(restore, key)
}
