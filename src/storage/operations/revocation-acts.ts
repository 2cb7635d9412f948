import type { RevocationRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { fallenCertificate } from './fallen.ts'
import { cascade, fallible, readFallen, type Fallen } from './revocation-cascade.ts'
import { recordEvents } from './revocation-events.ts'

const insert = statement<RevocationRow>()((db, is) =>
  db.insertInto('revocations').values({
    id: is.id,
    kind: is.kind,
    target: is.target,
    at: is.at,
    reason_code: is.reason_code,
    reason: is.reason,
    author: is.author,
    vendor: is.vendor,
    lowest: is.lowest,
    highest: is.highest,
  }),
)

const newest = statement<object>()(db =>
  db.selectFrom('revocations').select('id').orderBy('id', 'desc').limit(1),
)

interface Former {
  readonly id: number
  readonly at: number
  readonly subject_id: string
  readonly jkt: string
  readonly reason_code: string
}

const supersedeCertificates = statement<Former>()((db, is) =>
  db
    .updateTable('certificates')
    .set(fallenCertificate(is))
    .where('subject_id', '=', is.subject_id)
    .where('jkt', '=', is.jkt)
    .where('not_after', '>', is.at)
    .where('status', 'in', fallible),
)

const supersedeTokens = statement<Former>()((db, is) =>
  db
    .updateTable('tokens')
    .set({ revoked_at: is.at, revocation: is.id })
    .where('subject_id', '=', is.subject_id)
    .where('binding', '=', is.jkt)
    .where('expires_at', '>', is.at)
    .where('revoked_at', 'is', null),
)

interface Place {
  readonly id: number
  readonly at: number
  readonly list: string
  readonly idx: number
  readonly jti: string
}

const takeBackToken = statement<Place>()((db, is) =>
  db
    .updateTable('tokens')
    .set({ revoked_at: is.at, revocation: is.id })
    .where('list', 'in', q =>
      q.selectFrom('status_lists').select('number').where('name', '=', is.list),
    )
    .where('idx', '=', is.idx)
    .where('jti', '=', is.jti)
    .where('revoked_at', 'is', null),
)

/** An act before it has its number. */
export type ActRow = Omit<RevocationRow, 'id'>

/** The number of the next act. */
export async function nextAct(tx: Transaction): Promise<number> {
  return ((await tx.first(newest, {}))?.id ?? 0) + 1
}

/** Records an act whose first rows are marked, carries the marks down, and gives what bears them. */
export async function completeAct(tx: Transaction, act: RevocationRow): Promise<Fallen> {
  await tx.run(insert, act)
  await cascade(tx, act)
  return await readFallen(tx, act)
}

/** What was bound to a key that its client has replaced falls with it. The entry of the new key says so in the log. */
export async function supersedeKey(
  tx: Transaction,
  former: { readonly kind: string; readonly subject_id: string; readonly jkt: string },
  at: number,
): Promise<void> {
  const { kind, subject_id, jkt } = former
  const id = await nextAct(tx)
  const marks = { id, at, subject_id, jkt, reason_code: 'superseded' }
  const marked =
    (await tx.run(supersedeCertificates, marks)) + (await tx.run(supersedeTokens, marks))
  if (marked === 0) return
  const why = {
    at,
    reason_code: 'superseded',
    reason: 'another key',
    author: `${kind}/${subject_id}`,
  }
  const act = { ...inner, ...why, id, kind: 'key', target: jkt }
  await recordEvents(tx, act, await completeAct(tx, act))
}

/** Marks a single token at its place, and tells relying parties. */
export async function markToken(
  tx: Transaction,
  place: Omit<Place, 'id'>,
  author: string,
): Promise<void> {
  const id = await nextAct(tx)
  if ((await tx.run(takeBackToken, { ...place, id })) === 0) return
  const why = { at: place.at, reason_code: 'unspecified', reason: 'given back', author }
  const act = { ...inner, ...why, id, kind: 'token', target: place.jti }
  await recordEvents(tx, act, await completeAct(tx, act))
}

const inner = { vendor: null, lowest: null, highest: null }
