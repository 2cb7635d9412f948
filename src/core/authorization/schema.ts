import {
  preparseSchema,
  schemaToJson,
  type SchemaJson,
  type DetailedError,
} from '@cedar-policy/cedar-wasm/nodejs'
import { createHash } from 'node:crypto'
import { AuthorizationError } from './error.ts'

/** What policies can speak of, read once. */
export class AuthorizationSchema {
  readonly text: string
  /** `sha256:` and the hex digest of `text`. */
  readonly id: string
  /** Names of attributes that may be absent anywhere. */
  readonly optional: ReadonlySet<string>

  private constructor(text: string, optional: ReadonlySet<string>) {
    this.text = text
    this.id = `sha256:${createHash('sha256').update(text).digest('hex')}`
    this.optional = optional
  }

  /**
   * Reads the text of a schema.
   *
   * @throws AuthorizationError `authorization-schema`
   */
  static prepare(text: string): AuthorizationSchema {
    const answer = schemaToJson(text)
    if (answer.type === 'failure')
      throw new AuthorizationError('authorization-schema', { found: messageOf(answer.errors) })
    const schema = new AuthorizationSchema(text, new Set(optionalNames(answer.json)))
    preparseSchema(schema.id, text)
    return schema
  }
}

/** The first message of a refusal of Cedar's, on one line. */
export function messageOf(errors: readonly DetailedError[]): string {
  const [first] = errors
  const text = [first?.message, first?.help].filter(Boolean).join('; ')
  return text.replaceAll(/\s+/g, ' ').slice(0, 400)
}

/** A name that may be absent in one place is held to be so everywhere. */
function* optionalNames(schema: SchemaJson<string>): Generator<string> {
  const rows: unknown[] = [schema]
  for (let row = rows.pop(); row !== undefined; row = rows.pop()) {
    if (typeof row !== 'object' || row === null) continue
    for (const [name, member] of Object.entries(row)) {
      rows.push(member)
      if ((member as { required?: unknown } | null)?.required === false) yield name
    }
  }
}
