import type { AnchorRow } from '../policy-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { isBarred } from './revocation-bars.ts'

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
      kind: is.kind,
      status: is.status,
      source: is.source,
      not_after: is.not_after,
      since_version: is.since_version,
      until_version: is.until_version,
      approved_at: is.approved_at,
      approved_by: is.approved_by,
      retired_at: is.retired_at,
      retired_by: is.retired_by,
      retirement_reason: is.retirement_reason,
    })
    .onConflict(conflict => conflict.column('fingerprint').doNothing()),
)

const listAll = statement<object>()(db =>
  db.selectFrom('anchors').selectAll().orderBy('added_at').orderBy('fingerprint'),
)

const listActive = statement<object>()(db =>
  db
    .selectFrom('anchors')
    .selectAll()
    .where('status', '=', 'active')
    .orderBy('added_at')
    .orderBy('fingerprint'),
)

const findStatus = statement<{ fingerprint: string }>()((db, is) =>
  db.selectFrom('anchors').select('status').where('fingerprint', '=', is.fingerprint),
)

const versions = statement<object>()(db =>
  db
    .selectFrom('anchors')
    .select(q => [q.fn.max('since_version').as('since'), q.fn.max('until_version').as('until')]),
)

interface Approval {
  readonly fingerprint: string
  readonly at: number
  readonly by: string
  readonly version: number
}

const activate = statement<Approval>()((db, is) =>
  db
    .updateTable('anchors')
    .set({
      status: 'active',
      since_version: is.version,
      until_version: null,
      approved_at: is.at,
      approved_by: is.by,
      retired_at: null,
      retired_by: null,
      retirement_reason: null,
    })
    .where('fingerprint', '=', is.fingerprint),
)

const retire = statement<Approval & { reason: string }>()((db, is) =>
  db
    .updateTable('anchors')
    .set({
      status: 'retired',
      until_version: is.version,
      retired_at: is.at,
      retired_by: is.by,
      retirement_reason: is.reason,
    })
    .where('fingerprint', '=', is.fingerprint),
)

/** See `AnchorStore.add`. */
export async function addAnchor(
  tx: Transaction,
  anchor: AnchorRow,
  entry: string,
): Promise<'done' | 'exists' | 'revoked'> {
  if (await isBarred(tx, 'anchor', anchor.fingerprint)) return tx.refuse('revoked')
  const since_version = await nextVersion(tx)
  if ((await tx.run(insert, { ...anchor, since_version })) === 0) return tx.refuse('exists')
  tx.append(entry)
  return 'done'
}

/** See `AnchorStore.propose`. What is known already is passed over. */
export async function proposeAnchors(
  tx: Transaction,
  entry: string,
  ...anchors: readonly AnchorRow[]
): Promise<string[]> {
  const added: string[] = []
  for (const anchor of anchors) {
    if ((await tx.run(insert, anchor)) === 1) added.push(anchor.fingerprint)
  }
  tx.append(entry)
  return added
}

/** See `AnchorStore.approve`. */
export async function approveAnchors(
  tx: Transaction,
  change: { readonly at: number; readonly by: string },
  entries: readonly string[],
  ...fingerprints: readonly string[]
): Promise<{ version: number } | 'unknown' | 'already' | 'revoked'> {
  const version = await nextVersion(tx)
  for (const fingerprint of fingerprints) {
    const found = await tx.first(findStatus, { fingerprint })
    if (found === undefined) return tx.refuse('unknown')
    if (found.status === 'active') return tx.refuse('already')
    if (await isBarred(tx, 'anchor', fingerprint)) return tx.refuse('revoked')
    await tx.run(activate, { fingerprint, ...change, version })
  }
  for (const entry of entries) tx.append(entry)
  return { version }
}

/** See `AnchorStore.retire`. */
export async function retireAnchor(
  tx: Transaction,
  fingerprint: string,
  change: { readonly at: number; readonly by: string; readonly reason: string },
  entry: string,
): Promise<{ version: number } | 'unknown' | 'already'> {
  const found = await tx.first(findStatus, { fingerprint })
  if (found === undefined) return tx.refuse('unknown')
  if (found.status === 'retired') return tx.refuse('already')
  const version = await nextVersion(tx)
  await tx.run(retire, { fingerprint, ...change, version })
  tx.append(entry)
  return { version }
}

/** Takes a certificate that was revoked out of the set of anchors, where it is one. */
export async function retireRevoked(
  tx: Transaction,
  act: {
    readonly target: string
    readonly at: number
    readonly author: string
    readonly reason: string
  },
): Promise<void> {
  const found = await tx.first(findStatus, { fingerprint: act.target })
  if (found === undefined || found.status === 'retired') return
  const version = await nextVersion(tx)
  const { target: fingerprint, at, author: by, reason } = act
  await tx.run(retire, { fingerprint, at, by, reason, version })
}

/** See `AnchorStore.list`; oldest first. */
export async function listAnchors(tx: Transaction): Promise<AnchorRow[]> {
  return await tx.all(listAll, {})
}

/**
 * See `AnchorStore.listActive`; oldest first. Each enrolment asks, and the set hardly ever changes: whoever names the
 * version that is in force gets no rows.
 */
export async function listActiveAnchors(
  tx: Transaction,
  known: number,
): Promise<{ readonly version: number; readonly anchors: AnchorRow[] | null }> {
  const version = (await nextVersion(tx)) - 1
  return { version, anchors: version === known ? null : await tx.all(listActive, {}) }
}

async function nextVersion(tx: Transaction): Promise<number> {
  const found = await tx.first(versions, {})
  return Math.max(found?.since ?? 0, found?.until ?? 0) + 1
}
