import { CodedError } from '../../src/core/coded-error.ts'

/**
 * Runs a parser on any bytes: it gives a value, or throws an error with a code. Anything else is thrown on.
 *
 * @returns the code; undefined where there was a value
 */
export function codeOf(parse: () => unknown): string | undefined {
  try {
    parse()
    return undefined
  } catch (error) {
    if (error instanceof CodedError) return error.code
    throw error
  }
}
