import { sql, type CreateTableBuilder, type RawBuilder } from 'kysely'

/** What the databases name differently. */
export interface ColumnTypes {
  readonly text: RawBuilder<unknown>
  readonly integer: RawBuilder<unknown>
  readonly bytes: RawBuilder<unknown>
  /** Ends a `create table`: `clustered` tables are looked up by their primary key alone. */
  finish<T extends string, C extends string>(
    table: CreateTableBuilder<T, C>,
    shape: 'plain' | 'clustered',
  ): CreateTableBuilder<T, C>
}

/** STRICT tables refuse a value of another type. <https://sqlite.org/stricttables.html> */
export const sqliteTypes: ColumnTypes = {
  text: sql`text`,
  integer: sql`integer`,
  bytes: sql`blob`,
  finish: (table, shape) =>
    table.modifyEnd(shape === 'clustered' ? sql`strict, without rowid` : sql`strict`),
}
