/** What one error code means, written once: the same words reach CLI, HTTP, log and console. */
export interface ErrorRow {
  /** One sentence, present tense, ending in a full stop. */
  readonly summary: string
  /** What the reader can try next, one line. */
  readonly hint: string
  /** The rule that was broken: specification with section and revision, where there is one. */
  readonly source?: string
}

/** The facts of one occurrence: what the rule wanted and what was there. Never a secret. */
export interface ErrorFacts {
  readonly expected?: string
  readonly found?: string
  readonly cause?: unknown
}

/**
 * The base of every refusal Assay gives. A layer declares a table of {@link ErrorRow} and one subclass whose
 * `code` is a key of that table; nothing outside the table can be thrown.
 *
 * `TypeError` stays what it is: the caller's own bug.
 */
export abstract class CodedError<Code extends string = string> extends Error {
  readonly code: Code
  readonly hint: string
  readonly source: string | undefined
  readonly expected: string | undefined
  readonly found: string | undefined

  protected constructor(code: Code, row: ErrorRow, facts: ErrorFacts = {}) {
    super(row.summary, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = new.target.name
    this.code = code
    this.hint = row.hint
    this.source = row.source
    this.expected = facts.expected
    this.found = facts.found
  }
}

/**
 * A value from outside as a fact of an error: a text cut to `limit` characters, of anything else only what it is.
 * Total, whatever the value does when it is converted.
 */
export function factOf(value: unknown, limit = 80): string {
  return typeof value === 'string' ? value.slice(0, limit) : value === null ? 'null' : typeof value
}

/** The lines a person reads, in the order that helps most: what, the facts, what to do, which rule. */
export function describe(error: CodedError): string[] {
  const lines = [`${error.code}: ${error.message}`]
  if (error.expected !== undefined) lines.push(`  expected: ${error.expected}`)
  if (error.found !== undefined) lines.push(`  found:    ${error.found}`)
  lines.push(`  try:      ${error.hint}`)
  if (error.source !== undefined) lines.push(`  source:   ${error.source}`)
  return lines
}
