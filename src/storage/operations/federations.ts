import type { FollowedBundle } from '../../ports/federation.ts'
import type { FederationRow } from '../federation-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const insert = statement<FederationRow>()((db, is) =>
  db.insertInto('federations').values({
    trust_domain: is.trust_domain,
    id: is.id,
    url: is.url,
    profile: is.profile,
    endpoint_id: is.endpoint_id,
    added_at: is.added_at,
    added_by: is.added_by,
    bundle: is.bundle,
    bundle_sha256: is.bundle_sha256,
    bundle_sequence: is.bundle_sequence,
    bundle_refresh_seconds: is.bundle_refresh_seconds,
    bundle_kept_at: is.bundle_kept_at,
    failure: is.failure,
    failed_at: is.failed_at,
  }),
)

const find = statement<{ trust_domain: string }>()((db, is) =>
  db.selectFrom('federations').selectAll().where('trust_domain', '=', is.trust_domain),
)

const findStanding = statement<{ id: string }>()((db, is) =>
  db.selectFrom('federations').select(['bundle_sha256', 'failure']).where('id', '=', is.id),
)

/** Without the bundles, each of which may be a mebibyte. */
const listAll = statement<object>()(db =>
  db
    .selectFrom('federations')
    .select([
      'trust_domain',
      'id',
      'url',
      'profile',
      'endpoint_id',
      'added_at',
      'added_by',
      'bundle_sha256',
      'bundle_sequence',
      'bundle_refresh_seconds',
      'bundle_kept_at',
      'failure',
      'failed_at',
    ])
    .orderBy('trust_domain'),
)

const remove = statement<{ trust_domain: string }>()((db, is) =>
  db.deleteFrom('federations').where('trust_domain', '=', is.trust_domain),
)

interface KeptBundle {
  readonly id: string
  readonly bundle: string
  readonly bundle_sha256: string
  readonly bundle_sequence: number
  readonly bundle_refresh_seconds: number
  readonly at: number
}

const keep = statement<KeptBundle>()((db, is) =>
  db
    .updateTable('federations')
    .set({
      bundle: is.bundle,
      bundle_sha256: is.bundle_sha256,
      bundle_sequence: is.bundle_sequence,
      bundle_refresh_seconds: is.bundle_refresh_seconds,
      bundle_kept_at: is.at,
      failure: null,
      failed_at: null,
    })
    .where('id', '=', is.id),
)

const fail = statement<{ id: string; failure: string | null; failed_at: number | null }>()(
  (db, is) =>
    db
      .updateTable('federations')
      .set({ failure: is.failure, failed_at: is.failed_at })
      .where('id', '=', is.id),
)

/** See `FederationStore.add`. */
export async function addFederation(
  tx: Transaction,
  federation: FederationRow,
  entry: string,
): Promise<'done' | 'exists'> {
  if ((await tx.first(find, federation)) !== undefined) return tx.refuse('exists')
  await tx.run(insert, { ...federation })
  tx.append(entry)
  return 'done'
}

/** See `FederationStore.list`. */
export async function listFederations(tx: Transaction): Promise<Omit<FederationRow, 'bundle'>[]> {
  return await tx.all(listAll, {})
}

/** See `FederationStore.find`. */
export async function findFederation(
  tx: Transaction,
  trust_domain: string,
): Promise<FederationRow | undefined> {
  return await tx.first(find, { trust_domain })
}

/** See `FederationStore.remove`. */
export async function removeFederation(
  tx: Transaction,
  trust_domain: string,
  entry: string,
): Promise<'done' | 'unknown'> {
  if ((await tx.run(remove, { trust_domain })) === 0) return tx.refuse('unknown')
  tx.append(entry)
  return 'done'
}

/** See `FederationStore.keepBundle`. */
export async function keepFederatedBundle(
  tx: Transaction,
  id: string,
  followed: FollowedBundle,
  entry: string,
): Promise<'done' | 'known' | 'conflict' | 'unknown'> {
  const standing = await tx.first(findStanding, { id })
  if (standing === undefined) return tx.refuse('unknown')
  if (standing.bundle_sha256 === followed.bundleSha256) return tx.refuse('known')
  if (standing.bundle_sha256 !== followed.basis) return tx.refuse('conflict')
  await tx.run(keep, {
    id,
    bundle: followed.bundle,
    bundle_sha256: followed.bundleSha256,
    bundle_sequence: followed.bundleSequence,
    bundle_refresh_seconds: followed.bundleRefreshSeconds,
    at: followed.at,
  })
  tx.append(entry)
  return 'done'
}

/** See `FederationStore.keepFailure`. */
export async function keepFederationFailure(
  tx: Transaction,
  id: string,
  failure: string | null,
  at: number,
  entry: string,
): Promise<'done' | 'known' | 'unknown'> {
  const standing = await tx.first(findStanding, { id })
  if (standing === undefined) return tx.refuse('unknown')
  if (standing.failure === failure) return tx.refuse('known')
  await tx.run(fail, { id, failure, failed_at: failure === null ? null : at })
  tx.append(entry)
  return 'done'
}
