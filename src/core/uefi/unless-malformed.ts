import { FormatError } from '../bytes/format-error.ts'

/** What `read` gives, or undefined for bytes that are not what it reads; its other errors are passed on. */
export function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
