import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'
import type { ColumnTypes } from './column-types.ts'

/**
 * What certificates say of the attestation behind them, when each key was last proven and in which boot of its host,
 * and each certificate as it was given out, found by the renewal that asked for it.
 */
export function issuance(types: ColumnTypes): Migration {
  return {
    up: async (db: Kysely<unknown>) => {
      await addColumns(db, 'hosts', { ear_sha256: types.text, boot_seen: types.text })
      await addColumns(db, 'client_keys', { proven_at: types.integer, proven_boot: types.text })
      await addColumns(db, 'certificates', { certificate: types.bytes, renewal: types.text })
      await db.schema
        .createIndex('certificates_renewal')
        .unique()
        .on('certificates')
        .column('renewal')
        .execute()
    },
  }
}

async function addColumns(
  db: Kysely<unknown>,
  table: string,
  columns: Readonly<Record<string, ColumnTypes['text']>>,
): Promise<void> {
  for (const [name, type] of Object.entries(columns))
    await db.schema.alterTable(table).addColumn(name, type).execute()
}
