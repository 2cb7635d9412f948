import { CodedError, type ErrorRow } from '../core/coded-error.ts'

/** One check of a verdict as the service shows it (`src/core/verifier/check.ts`). */
export interface RemoteCheck {
  readonly code: string
  readonly outcome: string
  readonly source?: string
  readonly expected?: string
  readonly found?: string
}

/**
 * A refusal that the service gave: its code, words, hint and, of refused evidence, the checks that ran. Control
 * characters are taken out of its texts, since they end up on a terminal.
 *
 * @see RFC 9457 §3, RFC 6749 §5.2
 */
export class RemoteError extends CodedError {
  /** HTTP status. */
  readonly status: number
  /** The checks that ran; the last one failed. */
  readonly checks: readonly RemoteCheck[]
  /** What to ask the operator of the service for. */
  readonly instance: string | undefined
  /** The whole problem document or OAuth error, as it came. */
  readonly document: Readonly<Record<string, unknown>>

  constructor(status: number, document: Readonly<Record<string, unknown>>) {
    const found = textOf(document['found'])
    const expected = textOf(document['expected'])
    super(codeOf(document), rowOf(status, document), {
      ...(found === undefined ? {} : { found }),
      ...(expected === undefined ? {} : { expected }),
    })
    this.status = status
    this.checks = checksOf(document['checks'])
    this.instance = textOf(document['instance'])
    this.document = document
  }
}

/** OAuth's own code only where ours is missing. */
function codeOf(document: Readonly<Record<string, unknown>>): string {
  return textOf(document['code']) ?? textOf(document['error']) ?? 'service-refused'
}

function rowOf(status: number, document: Readonly<Record<string, unknown>>): ErrorRow {
  const source = textOf(document['source'])
  return {
    summary:
      textOf(document['title']) ??
      textOf(document['error_description']) ??
      `The service answered ${status}.`,
    hint: textOf(document['hint']) ?? 'Look at the log of the service.',
    ...(source === undefined ? {} : { source }),
  }
}

function checksOf(value: unknown): readonly RemoteCheck[] {
  if (!Array.isArray(value)) return []
  return value.slice(0, 1000).flatMap((row: unknown) => {
    const check = typeof row === 'object' && row !== null ? (row as Record<string, unknown>) : {}
    const members = ['code', 'outcome', 'source', 'expected', 'found'].flatMap(name => {
      const text = textOf(check[name])
      return text === undefined ? [] : [[name, text] as const]
    })
    const read = Object.fromEntries(members)
    return 'code' in read && 'outcome' in read ? [read as unknown as RemoteCheck] : []
  })
}

const longestText = 1000

function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  return printable(value.slice(0, longestText))
}

/** A text from outside without what could move a cursor or hide a line: controls, and marks of writing direction. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\uFFFD')
}
