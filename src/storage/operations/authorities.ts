import type { LoggedAct } from '../../core/log/audit-entry.ts'
import type { AuthorityRow } from '../authority-rows.ts'
import type { RevocationRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { bundleSequence, listAdoptions, nextBundle } from './bundle.ts'
import { fallenCertificate } from './fallen.ts'
import { completeAct, nextAct } from './revocation-acts.ts'
import { fallible } from './revocation-cascade.ts'
import { recordFallen } from './revocations.ts'

const insert = statement<AuthorityRow>()((db, is) =>
  db.insertInto('authorities').values({
    id: is.id,
    chain: is.chain,
    root_id: is.root_id,
    key_reference: is.key_reference,
    state: is.state,
    bundle_sequence: is.bundle_sequence,
    prepared_at: is.prepared_at,
    prepared_by: is.prepared_by,
    activated_at: is.activated_at,
    changed_at: is.changed_at,
    changed_by: is.changed_by,
    reason: is.reason,
    key_destroyed_at: is.key_destroyed_at,
  }),
)

const find = statement<{ id: string }>()((db, is) =>
  db.selectFrom('authorities').selectAll().where('id', '=', is.id),
)

const findActive = statement<object>()(db =>
  db.selectFrom('authorities').selectAll().where('state', '=', 'active'),
)

const listAll = statement<object>()(db =>
  db.selectFrom('authorities').selectAll().orderBy('prepared_at').orderBy('id'),
)

/** Authorities under a root that is in the bundle. */
const listOfRoot = statement<{ root_id: string }>()((db, is) =>
  db
    .selectFrom('authorities')
    .selectAll()
    .where('root_id', '=', is.root_id)
    .where('state', '!=', 'revoked')
    .orderBy('bundle_sequence'),
)

interface Move {
  readonly id: string
  readonly state: string
  readonly at: number
  readonly by: string
  readonly reason: string | null
  readonly activated_at: number | null
}

const move = statement<Move>()((db, is) =>
  db
    .updateTable('authorities')
    .set({
      state: is.state,
      activated_at: is.activated_at,
      changed_at: is.at,
      changed_by: is.by,
      reason: is.reason,
    })
    .where('id', '=', is.id),
)

const claim = statement<{ id: string }>()((db, is) =>
  db.updateTable('certificates').set({ authority_id: is.id }).where('authority_id', '=', ''),
)

const listLive = statement<{ id: string; at: number }>()((db, is) =>
  db
    .selectFrom('certificates')
    .select('serial')
    .where('authority_id', '=', is.id)
    .where('not_after', '>', is.at)
    .where('status', 'in', fallible),
)

const markLive = statement<RevocationRow>()((db, is) =>
  db
    .updateTable('certificates')
    .set(fallenCertificate(is))
    .where('authority_id', '=', is.target)
    .where('not_after', '>', is.at)
    .where('status', 'in', fallible),
)

const markDestroyed = statement<{ id: string; at: number }>()((db, is) =>
  db.updateTable('authorities').set({ key_destroyed_at: is.at }).where('id', '=', is.id),
)

const listInForce = statement<{ id: string; at: number }>()((db, is) =>
  db
    .selectFrom('certificates')
    .select('serial')
    .where('authority_id', '=', is.id)
    .where('not_after', '>', is.at)
    .limit(1),
)

/** Who changes a state, when and why. */
export interface Change {
  readonly at: number
  readonly by: string
  readonly reason: string | null
}

/** From which states each verb leads. */
const movable: Readonly<Record<'activate' | 'taint' | 'revoke' | 'destroyKey', readonly string[]>> =
  {
    activate: ['prepared'],
    taint: ['prepared', 'active', 'retired'],
    revoke: ['prepared', 'retired', 'tainted'],
    destroyKey: ['retired', 'tainted', 'revoked'],
  }

/** Whether certificates may be signed under it at this moment. */
export async function isIssuing(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.first(find, { id }))?.state === 'active'
}

/** See `AuthorityStore.read`. */
export async function readAuthorities(
  tx: Transaction,
): Promise<{ authorities: AuthorityRow[]; sequence: number }> {
  return { authorities: await tx.all(listAll, {}), sequence: await bundleSequence(tx) }
}

/** See `AuthorityStore.adopt`. */
export async function adoptAuthority(
  tx: Transaction,
  authority: AuthorityRow,
  entry: string,
): Promise<'done' | 'exists'> {
  if ((await tx.all(listAll, {})).length > 0) return tx.refuse('exists')
  await tx.run(insert, { ...authority, bundle_sequence: await nextBundle(tx) })
  await tx.run(claim, authority)
  tx.append(entry)
  return 'done'
}

/** See `AuthorityStore.prepare`. */
export async function prepareAuthority(
  tx: Transaction,
  authority: AuthorityRow,
  entry: string,
): Promise<{ bundleSequence: number } | 'exists'> {
  if ((await tx.first(find, authority)) !== undefined) return tx.refuse('exists')
  const [first] = await tx.all(listOfRoot, authority)
  const sequence = first?.bundle_sequence ?? (await nextBundle(tx))
  await tx.run(insert, { ...authority, bundle_sequence: sequence })
  tx.append(entry)
  return { bundleSequence: sequence }
}

/** See `AuthorityStore.activate`. */
export async function activateAuthority(
  tx: Transaction,
  id: string,
  change: Change & { readonly from: string | null; readonly isForced: boolean },
  entry: string,
): Promise<'done' | 'unknown' | 'state' | 'conflict' | 'bundle-not-adopted'> {
  const wanted = await tx.first(find, { id })
  if (wanted === undefined) return tx.refuse('unknown')
  if (!movable.activate.includes(wanted.state) || wanted.key_destroyed_at !== null)
    return tx.refuse('state')
  const active = await tx.first(findActive, {})
  if ((active?.id ?? null) !== change.from) return tx.refuse('conflict')
  if (!change.isForced && !(await isAdopted(tx, wanted.bundle_sequence, change.at)))
    return tx.refuse('bundle-not-adopted')
  const { at, by, reason } = change
  if (active !== undefined) await tx.run(move, { ...active, state: 'retired', at, by, reason })
  await tx.run(move, { id, state: 'active', at, by, reason, activated_at: at })
  tx.append(entry)
  return 'done'
}

async function isAdopted(tx: Transaction, sequence: number, now: number): Promise<boolean> {
  const hosts = await listAdoptions(tx, now)
  return hosts.every(host => (host.sequence ?? 0) >= sequence)
}

/** See `AuthorityStore.taint`. */
export async function taintAuthority(
  tx: Transaction,
  id: string,
  change: Change,
  entry: string,
): Promise<{ certificates: number } | 'unknown' | 'state'> {
  const authority = await tx.first(find, { id })
  if (authority === undefined) return tx.refuse('unknown')
  if (!movable.taint.includes(authority.state)) return tx.refuse('state')
  await tx.run(move, { ...authority, ...change, state: 'tainted' })
  tx.append(entry)
  return { certificates: (await tx.all(listLive, { id, at: change.at })).length }
}

/** See `AuthorityStore.destroyKey`. */
export async function destroyAuthorityKey(
  tx: Transaction,
  id: string,
  { at, isForced }: Change & { readonly isForced: boolean },
  entry: string,
): Promise<'done' | 'unknown' | 'state' | 'key-needed'> {
  const authority = await tx.first(find, { id })
  if (authority === undefined) return tx.refuse('unknown')
  if (!movable.destroyKey.includes(authority.state)) return tx.refuse('state')
  // A key whose destruction failed half way is destroyed again, and needed by nobody any more.
  const isNeeded =
    authority.key_destroyed_at === null && (await tx.all(listInForce, { id, at })).length > 0
  if (isNeeded && !isForced) return tx.refuse('key-needed')
  await tx.run(markDestroyed, { id, at: authority.key_destroyed_at ?? at })
  tx.append(entry)
  return 'done'
}

/** An act as any other: relying parties are told, and tokens that were bound to the certificates fall with them. */
async function revokeBelow(
  tx: Transaction,
  target: string,
  change: Change,
  entry: LoggedAct,
): Promise<number> {
  const act = {
    id: await nextAct(tx),
    kind: 'authority',
    target,
    at: change.at,
    reason_code: 'cACompromise',
    reason: change.reason ?? '',
    author: change.by,
    vendor: null,
    lowest: null,
    highest: null,
  }
  const certificates = await tx.run(markLive, act)
  await recordFallen(tx, act, await completeAct(tx, act), entry)
  return certificates
}

/** See `AuthorityStore.revoke`. */
export async function revokeAuthority(
  tx: Transaction,
  id: string,
  change: Change,
  entry: LoggedAct,
): Promise<{ certificates: number; bundleSequence: number } | 'unknown' | 'state'> {
  const authority = await tx.first(find, { id })
  if (authority === undefined) return tx.refuse('unknown')
  if (!movable.revoke.includes(authority.state)) return tx.refuse('state')
  await tx.run(move, { ...authority, ...change, state: 'revoked' })
  const certificates = await revokeBelow(tx, id, change, entry)
  const isRootGone = (await tx.all(listOfRoot, authority)).length === 0
  const sequence = isRootGone ? await nextBundle(tx) : await bundleSequence(tx)
  return { certificates, bundleSequence: sequence }
}
