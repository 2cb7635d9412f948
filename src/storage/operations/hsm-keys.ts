import type { HsmKeyRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const insert = statement<HsmKeyRow>()((db, is) =>
  db.insertInto('hsm_keys').values({
    jkt: is.jkt,
    jwk: is.jwk,
    name: is.name,
    manufacturer: is.manufacturer,
    model: is.model,
    token_id: is.token_id,
    registered_at: is.registered_at,
    registered_by: is.registered_by,
    retired_at: is.retired_at,
    retired_by: is.retired_by,
    retirement_reason: is.retirement_reason,
  }),
)

const find = statement<{ jkt: string }>()((db, is) =>
  db.selectFrom('hsm_keys').selectAll().where('jkt', '=', is.jkt),
)

const listAll = statement<object>()(db =>
  db.selectFrom('hsm_keys').selectAll().orderBy('registered_at', 'desc').orderBy('jkt'),
)

const retire = statement<{ jkt: string; at: number; by: string; reason: string }>()((db, is) =>
  db
    .updateTable('hsm_keys')
    .set({ retired_at: is.at, retired_by: is.by, retirement_reason: is.reason })
    .where('jkt', '=', is.jkt)
    .where('retired_at', 'is', null),
)

/** See `HsmKeyStore.add`. */
export async function addHsmKey(
  tx: Transaction,
  key: HsmKeyRow,
  entry: string,
): Promise<'done' | 'exists'> {
  if ((await tx.first(find, key)) !== undefined) return tx.refuse('exists')
  await tx.run(insert, key)
  tx.append(entry)
  return 'done'
}

/** Whether the registered key that vouched, where one did, is out of use: what it stated counts no more. */
export async function isHsmKeyRetired(tx: Transaction, jkt: string | null): Promise<boolean> {
  if (jkt === null) return false
  const key = await tx.first(find, { jkt })
  return key?.retired_at !== null
}

/** See `HsmKeyStore.list`. */
export async function listHsmKeys(tx: Transaction): Promise<HsmKeyRow[]> {
  return await tx.all(listAll, {})
}

/** See `HsmKeyStore.retire`. */
export async function retireHsmKey(
  tx: Transaction,
  jkt: string,
  change: { readonly at: number; readonly by: string; readonly reason: string },
  entry: string,
): Promise<'done' | 'unknown' | 'already'> {
  if ((await tx.first(find, { jkt })) === undefined) return tx.refuse('unknown')
  if ((await tx.run(retire, { jkt, ...change })) === 0) return tx.refuse('already')
  tx.append(entry)
  return 'done'
}
