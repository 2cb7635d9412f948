import type { ClientKeyRow, OperatorRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { isForeignKey, replaceKey } from './client-keys.ts'

const insert = statement<OperatorRow>()((db, is) =>
  db.insertInto('operators').values({
    id: is.id,
    name: is.name,
    role: is.role,
    key_protection: is.key_protection,
    jkt: is.jkt,
    status: is.status,
    created_at: is.created_at,
    created_by: is.created_by,
    audiences: is.audiences,
  }),
)

const listAll = statement<object>()(db =>
  db.selectFrom('operators').selectAll().orderBy('created_at').orderBy('id'),
)

/** See `OperatorStore.add`. */
export async function addOperator(
  tx: Transaction,
  operator: OperatorRow,
  key: ClientKeyRow,
  entry: string,
): Promise<'done' | 'key-in-use'> {
  if (await isForeignKey(tx, key)) return tx.refuse('key-in-use')
  await tx.run(insert, operator)
  await replaceKey(tx, key, null, operator.created_at)
  tx.append(entry)
  return 'done'
}

/** See `OperatorStore.list`; oldest first. */
export async function listOperators(tx: Transaction): Promise<OperatorRow[]> {
  return await tx.all(listAll, {})
}
