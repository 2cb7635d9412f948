import { sql } from 'kysely'
import type { EndorsementRow } from '../policy-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const insert = statement<EndorsementRow>()((db, is) =>
  db.insertInto('endorsements').values({
    id: is.id,
    status: is.status,
    host_name: is.host_name,
    first_seen: is.first_seen,
    decided_at: is.decided_at,
    decided_by: is.decided_by,
  }),
)

const decide = statement<EndorsementRow>()((db, is) =>
  db
    .updateTable('endorsements')
    .set({ status: is.status, decided_at: is.decided_at, decided_by: is.decided_by })
    .where('id', '=', is.id),
)

const find = statement<{ id: string }>()((db, is) =>
  db.selectFrom('endorsements').selectAll().where('id', '=', is.id),
)

const countPending = statement<object>()(db =>
  db
    .selectFrom('endorsements')
    .select(e => e.fn.countAll<number>().as('waiting'))
    .where('status', '=', 'pending'),
)

const listAll = statement<object>()(db =>
  db
    .selectFrom('endorsements')
    .selectAll()
    .orderBy(sql`case when status = 'pending' then 0 else 1 end`)
    .orderBy('decided_at', 'desc')
    .orderBy('first_seen')
    .orderBy('id'),
)

/** See `EndorsementStore.find`. */
export async function findEndorsement(
  tx: Transaction,
  id: string,
): Promise<EndorsementRow | undefined> {
  return await tx.first(find, { id })
}

/** See `EndorsementStore.list`. */
export async function listEndorsements(tx: Transaction): Promise<EndorsementRow[]> {
  return await tx.all(listAll, {})
}

/** See `EndorsementStore.enqueue`. */
export async function enqueueEndorsement(
  tx: Transaction,
  endorsement: EndorsementRow,
  limit: number,
  entry: string,
): Promise<'done' | 'exists' | 'full'> {
  if ((await tx.first(find, endorsement)) !== undefined) return tx.refuse('exists')
  const waiting = (await tx.first(countPending, {}))?.waiting ?? 0
  if (waiting >= limit) return tx.refuse('full')
  await tx.run(insert, endorsement)
  tx.append(entry)
  return 'done'
}

/** See `EndorsementStore.decide`; `listed` alone needs no record to be there. */
export async function decideEndorsement(
  tx: Transaction,
  id: string,
  status: string,
  at: number,
  by: string,
  entry: string,
): Promise<'done' | 'unknown'> {
  const known = await tx.first(find, { id })
  if (known === undefined && status !== 'listed') return tx.refuse('unknown')
  const row = { id, status, host_name: null, first_seen: at, decided_at: at, decided_by: by }
  await tx.run(known === undefined ? insert : decide, row)
  tx.append(entry)
  return 'done'
}
