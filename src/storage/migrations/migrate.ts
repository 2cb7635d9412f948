import { sql, type Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import { StoreError } from '../../ports/store-error.ts'
import type { Schema } from '../schema.ts'
import type { ColumnTypes } from './column-types.ts'
import { firstEnrolment } from './0001-first-enrolment.ts'
import { keptAttestations } from './0002-kept-attestations.ts'
import { anchorSets } from './0003-anchor-sets.ts'
import { revocationLists } from './0004-revocation-lists.ts'
import { authorities } from './0006-authorities.ts'
import { revocations } from './0007-revocations.ts'
import { hsmKeys } from './0009-hsm-keys.ts'
import { authorization } from './0010-authorization.ts'
import { tokenRules } from './0011-token-rules.ts'
import { issuance } from './0012-issuance.ts'
import { certificateLists } from './0013-certificate-lists.ts'
import { federations } from './0014-federations.ts'
import { tokenParents } from './0015-token-parents.ts'
import { renewals } from './0016-renewals.ts'
import { tokenKeys } from './0017-token-keys.ts'
import { keysInHardware } from './0018-keys-in-hardware.ts'
import { grantRequests } from './0019-grant-requests.ts'

/** All migrations, oldest first. Names are forever: they are what a database remembers. */
function migrationsFor(types: ColumnTypes): Record<string, Migration> {
  return {
    '0001-first-enrolment': firstEnrolment(types),
    '0002-kept-attestations': keptAttestations(types),
    '0003-anchor-sets': anchorSets(types),
    '0004-revocation-lists': revocationLists(types),
    '0006-authorities': authorities(types),
    '0007-revocations': revocations(types),
    '0009-hsm-keys': hsmKeys(types),
    '0010-authorization': authorization(types),
    '0011-token-rules': tokenRules(types),
    '0012-issuance': issuance(types),
    '0013-certificate-lists': certificateLists(types),
    '0014-federations': federations(types),
    '0015-token-parents': tokenParents(types),
    '0016-renewals': renewals(types),
    '0017-token-keys': tokenKeys(types),
    '0018-keys-in-hardware': keysInHardware(types),
    '0019-grant-requests': grantRequests(types),
  }
}

/**
 * Brings the schema up to this version, all or nothing.
 *
 * @throws {StoreError} `store-schema-newer` when the database knows a migration that this version does not
 */
export async function migrate(db: Kysely<Schema>, types: ColumnTypes): Promise<void> {
  const migrations = migrationsFor(types)
  await refuseNewer(db, Object.keys(migrations))
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

async function refuseNewer(db: Kysely<Schema>, known: readonly string[]): Promise<void> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(table => table.name === 'kysely_migration')) return
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db)
  const newer = rows.find(row => !known.includes(row.name))
  if (newer !== undefined) throw new StoreError('store-schema-newer', { found: newer.name })
}
