import { InvalidArgumentError } from 'commander'
import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'usage-missing': {
    summary: 'The command lacks something that it needs here.',
    hint: 'See the example that --help ends with.',
  },
  'usage-contradiction': {
    summary: 'These options do not go together.',
    hint: 'See the example that --help ends with.',
  },
  'usage-malformed': {
    summary: 'A value on the command line cannot be used.',
    hint: 'See the example that --help ends with.',
  },
} as const satisfies Record<string, ErrorRow>

/** A command line that makes no sense; exit code 2, before anything was done. */
export class UsageError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** A parser of option values for commander: what it refuses with a code is wrong usage. */
export function valueOf<T>(parse: (text: string) => T): (text: string) => T {
  return text => {
    try {
      return parse(text)
    } catch (error) {
      if (!(error instanceof CodedError)) throw error
      const wanted = error.expected === undefined ? '' : ` Expected: ${error.expected}.`
      throw new InvalidArgumentError(`${error.message}${wanted}`)
    }
  }
}

/** As {@link valueOf}, for an option that may be given several times. */
export function valuesOf<T>(
  parse: (text: string) => T,
): (text: string, before: readonly T[] | undefined) => T[] {
  const one = valueOf(parse)
  return (text, before = []) => [...before, one(text)]
}

/** A whole number between two bounds. Throws UsageError `usage-malformed`. */
export function wholeNumber(from: number, to: number): (text: string) => number {
  return text => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (value >= from && value <= to) return value
    throw new UsageError('usage-malformed', { expected: `a whole number from ${from} to ${to}` })
  }
}

/** Any text that is not empty. Throws UsageError `usage-malformed`. */
export function someText(text: string): string {
  if (text.trim() === '') throw new UsageError('usage-malformed', { expected: 'a text' })
  return text
}
