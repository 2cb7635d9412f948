import type { StatusListRow, TokenParentRow, TokenRow } from '../status-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const newest = statement<object>()(db =>
  db.selectFrom('status_lists').select('number').orderBy('number', 'desc').limit(1),
)

const insert = statement<StatusListRow>()((db, is) =>
  db.insertInto('status_lists').values({
    number: is.number,
    name: is.name,
    size: is.size,
    version: is.version,
    opened_at: is.opened_at,
    closes_at: is.closes_at,
    expires_at: is.expires_at,
  }),
)

const insertToken = statement<TokenRow>()((db, is) =>
  db.insertInto('tokens').values({
    list: is.list,
    idx: is.idx,
    jti: is.jti,
    subject_id: is.subject_id,
    binding: is.binding,
    expires_at: is.expires_at,
    revoked_at: is.revoked_at,
    revocation: is.revocation,
  }),
)

const insertParent = statement<TokenParentRow>()((db, is) =>
  db.insertInto('token_parents').values({ list: is.list, idx: is.idx, parent: is.parent }),
)

const find = statement<{ name: string; now: number }>()((db, is) =>
  db
    .selectFrom('status_lists')
    .selectAll()
    .where('name', '=', is.name)
    .where('expires_at', '>', is.now),
)

const listNames = statement<{ now: number }>()((db, is) =>
  db.selectFrom('status_lists').select('name').where('expires_at', '>', is.now).orderBy('number'),
)

const listRevoked = statement<{ number: number }>()((db, is) =>
  db
    .selectFrom('tokens')
    .select('idx')
    .where('list', '=', is.number)
    .where('revoked_at', 'is not', null)
    .orderBy('idx'),
)

/** See `StatusStore.open`. */
export async function openStatusList(
  tx: Transaction,
  list: Omit<StatusListRow, 'number' | 'version'>,
): Promise<number> {
  const number = ((await tx.first(newest, {}))?.number ?? 0) + 1
  await tx.run(insert, { ...list, number, version: 1 })
  return number
}

/** Puts a token where it was allotted, below those that it descends from; a place that is taken fails the whole act. */
export async function placeToken(
  tx: Transaction,
  token: Omit<TokenRow, 'revoked_at' | 'revocation'>,
  parents: readonly { readonly jti: string }[],
): Promise<void> {
  await tx.run(insertToken, { ...token, revoked_at: null, revocation: null })
  const { list, idx } = token
  for (const { jti } of parents) await tx.run(insertParent, { list, idx, parent: jti })
}

/** See `StatusStore.read`. */
export async function readStatusList(
  tx: Transaction,
  name: string,
  now: number,
): Promise<{ list: StatusListRow; revoked: number[] } | undefined> {
  const list = await tx.first(find, { name, now })
  if (list === undefined) return undefined
  const revoked = await tx.all(listRevoked, list)
  return { list, revoked: revoked.map(({ idx }) => idx) }
}

/** See `StatusStore.version`. */
export async function findStatusVersion(
  tx: Transaction,
  name: string,
  now: number,
): Promise<number | undefined> {
  return (await tx.first(find, { name, now }))?.version
}

/** See `StatusStore.list`. */
export async function listStatusLists(tx: Transaction, now: number): Promise<string[]> {
  return (await tx.all(listNames, { now })).map(({ name }) => name)
}
