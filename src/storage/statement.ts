import type { Compilable, CompiledQuery, Kysely } from 'kysely'
import type { Schema, Value } from './schema.ts'

/** Stands in a query for a value that each execution brings. */
class Slot {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/**
 * A query that is built and compiled once per database and executed often: Kysely's compilation costs more than the
 * execution. The values are named; `Values` says which, `Row` what comes back.
 */
export class Statement<Values, Row> {
  readonly #build: (db: Kysely<Schema>, slots: Values) => Compilable<Row>
  /** Only for inference. */
  declare readonly values: Values

  constructor(build: (db: Kysely<Schema>, slots: Values) => Compilable<Row>) {
    this.#build = build
  }

  /** Compiles for the dialect of `db`. */
  compile(db: Kysely<Schema>): CompiledStatement {
    const slots = new Proxy({}, { get: (_, name) => new Slot(String(name)) }) as Values
    return new CompiledStatement(this.#build(db, slots).compile())
  }
}

/** SQL text and where its values come from. */
export class CompiledStatement {
  readonly sql: string
  readonly #parameters: readonly unknown[]

  constructor({ sql, parameters }: CompiledQuery) {
    this.sql = sql
    this.#parameters = parameters
  }

  /** The values in the order of the SQL's placeholders. */
  bind(values: Readonly<Record<string, Value>>): Value[] {
    return this.#parameters.map(parameter => {
      if (!(parameter instanceof Slot)) return parameter as Value
      const value = values[parameter.name]
      if (value === undefined) throw new TypeError(`no value for ${parameter.name}`)
      return value
    })
  }
}

/** Shorthand that lets `Row` be inferred: `statement<{ id: string }>()((db, is) => …)`. */
export function statement<Values>(): <Row>(
  build: (db: Kysely<Schema>, slots: Values) => Compilable<Row>,
) => Statement<Values, Row> {
  return build => new Statement(build)
}
