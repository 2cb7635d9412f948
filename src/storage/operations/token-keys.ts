import { statement } from '../statement.ts'
import type { TokenKeyRow } from '../token-key-rows.ts'
import type { Transaction } from '../transaction.ts'

const insert = statement<TokenKeyRow>()((db, is) =>
  db.insertInto('token_keys').values({
    kid: is.kid,
    public_key: is.public_key,
    key_reference: is.key_reference,
    created_at: is.created_at,
    created_by: is.created_by,
    signs_from: is.signs_from,
    published_until: is.published_until,
    withdrawn_at: is.withdrawn_at,
    withdrawn_by: is.withdrawn_by,
    reason: is.reason,
  }),
)

/** In the order in which they sign; of two that began in the same millisecond the one that is followed is the earlier. */
const listAll = statement<object>()(db =>
  db
    .selectFrom('token_keys')
    .selectAll()
    .orderBy('signs_from')
    .orderBy(eb => eb('withdrawn_at', 'is', null))
    .orderBy(eb => eb('published_until', 'is', null))
    .orderBy('published_until')
    .orderBy('kid'),
)

const find = statement<{ kid: string }>()((db, is) =>
  db.selectFrom('token_keys').selectAll().where('kid', '=', is.kid),
)

/** The one that no key follows: there is one at every moment. */
const findNewest = statement<object>()(db =>
  db
    .selectFrom('token_keys')
    .selectAll()
    .where('published_until', 'is', null)
    .where('withdrawn_at', 'is', null),
)

/** The one that signs while the newest does not yet: the last that is followed. */
const findBefore = statement<{ signs_from: number }>()((db, is) =>
  db
    .selectFrom('token_keys')
    .selectAll()
    .where('published_until', 'is not', null)
    .where('withdrawn_at', 'is', null)
    .where('signs_from', '<', is.signs_from)
    .orderBy('signs_from', 'desc')
    .orderBy('published_until', 'desc')
    .limit(1),
)

const setTimes = statement<Pick<TokenKeyRow, 'kid' | 'signs_from' | 'published_until'>>()(
  (db, is) =>
    db
      .updateTable('token_keys')
      .set({ signs_from: is.signs_from, published_until: is.published_until })
      .where('kid', '=', is.kid),
)

const setWithdrawn = statement<{ kid: string; at: number; by: string; reason: string }>()(
  (db, is) =>
    db
      .updateTable('token_keys')
      .set({ withdrawn_at: is.at, withdrawn_by: is.by, reason: is.reason })
      .where('kid', '=', is.kid),
)

/** See `TokenKeyRotation`. */
export interface Rotation {
  readonly from: string
  readonly publishedUntil: number
  readonly now: number
}

/** See `TokenKeyStore.list`. */
export async function listTokenKeys(tx: Transaction): Promise<TokenKeyRow[]> {
  return await tx.all(listAll, {})
}

/** See `TokenKeyStore.adopt`. */
export async function adoptTokenKey(
  tx: Transaction,
  key: TokenKeyRow,
  entry: string,
): Promise<'done' | 'exists'> {
  if ((await tx.all(listAll, {})).length > 0) return tx.refuse('exists')
  await tx.run(insert, key)
  tx.append(entry)
  return 'done'
}

/** See `TokenKeyStore.rotate`. */
export async function rotateTokenKey(
  tx: Transaction,
  key: TokenKeyRow,
  { from, publishedUntil, now }: Rotation,
  entry: string,
): Promise<'done' | 'conflict' | 'exists'> {
  const newest = await tx.first(findNewest, {})
  if (newest?.kid !== from || newest.signs_from > now) return tx.refuse('conflict')
  if ((await tx.first(find, key)) !== undefined) return tx.refuse('exists')
  await tx.run(setTimes, { ...newest, published_until: publishedUntil })
  await tx.run(insert, key)
  tx.append(entry)
  return 'done'
}

/** See `TokenKeyStore.hasten`. */
export async function hastenTokenKey(
  tx: Transaction,
  kid: string,
  { from, publishedUntil, now }: Rotation,
  entry: string,
): Promise<'done' | 'conflict' | 'state'> {
  const newest = await tx.first(findNewest, {})
  if (newest?.kid !== kid) return tx.refuse('conflict')
  if (newest.signs_from <= now) return tx.refuse('state')
  const before = await tx.first(findBefore, newest)
  if (before?.kid !== from) return tx.refuse('conflict')
  await tx.run(setTimes, { ...before, published_until: publishedUntil })
  await tx.run(setTimes, { ...newest, signs_from: now })
  tx.append(entry)
  return 'done'
}

/** See `TokenKeyStore.withdraw`. */
export async function withdrawTokenKey(
  tx: Transaction,
  kid: string,
  withdrawal: { readonly at: number; readonly by: string; readonly reason: string },
  successor: TokenKeyRow | null,
  entry: string,
): Promise<'done' | 'unknown' | 'state' | 'successor'> {
  const key = await tx.first(find, { kid })
  if (key === undefined) return tx.refuse('unknown')
  const { at } = withdrawal
  if (key.withdrawn_at !== null || (key.published_until ?? Infinity) <= at)
    return tx.refuse('state')
  if (!(await replaceSigner(tx, key, successor, at))) return tx.refuse('successor')
  await tx.run(setWithdrawn, { kid, ...withdrawal })
  tx.append(entry)
  return 'done'
}

/** Sees to it that some key signs after this one is out. False where that takes a successor and there is none. */
async function replaceSigner(
  tx: Transaction,
  key: TokenKeyRow,
  successor: TokenKeyRow | null,
  at: number,
): Promise<boolean> {
  const newest = await tx.first(findNewest, {})
  const isPending = newest !== undefined && newest.signs_from > at
  const before = newest && (await tx.first(findBefore, newest))
  if (newest?.kid === key.kid && isPending && before !== undefined) {
    // It never signed: the one before it goes on as if nothing had been planned.
    await tx.run(setTimes, { ...before, published_until: null })
    return true
  }
  if (isPending && before?.kid === key.kid) {
    await tx.run(setTimes, { ...newest, signs_from: at })
    return true
  }
  if (newest?.kid !== key.kid) return true
  if (successor === null || (await tx.first(find, successor)) !== undefined) return false
  await tx.run(insert, successor)
  return true
}

/** The operations on keys of tokens, by their names. */
export interface TokenKeyOperations {
  readonly listTokenKeys: typeof listTokenKeys
  readonly adoptTokenKey: typeof adoptTokenKey
  readonly rotateTokenKey: typeof rotateTokenKey
  readonly hastenTokenKey: typeof hastenTokenKey
  readonly withdrawTokenKey: typeof withdrawTokenKey
}

export const tokenKeyOperations: TokenKeyOperations = {
  listTokenKeys,
  adoptTokenKey,
  rotateTokenKey,
  hastenTokenKey,
  withdrawTokenKey,
}
