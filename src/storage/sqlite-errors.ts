import { StoreError, type StoreErrorCode } from '../ports/store-error.ts'

/** Primary result codes, the low byte of an extended one. <https://sqlite.org/rescode.html> */
const resultCodes = {
  busy: 5,
  io: 10,
  corrupt: 11,
  cantOpen: 14,
  tooBig: 18,
  constraint: 19,
  notADatabase: 26,
}

/** SQLITE_CONSTRAINT_DATATYPE: a value of a type that a STRICT column refuses. */
const constraintDatatype = 3091

/** The code by which SQLite failed; undefined for what SQLite did not throw. */
function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}

/**
 * What to tell the one caller whose operation threw; undefined when the database itself is at fault, so that nobody in
 * the batch may be told that it worked.
 */
export function refusalOf(error: unknown): StoreErrorCode | undefined {
  const code = resultCodeOf(error)
  if (code === undefined) return 'store-invalid-record'
  if (code === constraintDatatype) return 'store-invalid-record'
  const primary = code & 0xff
  if (primary === resultCodes.constraint) return 'store-conflict'
  return primary === resultCodes.tooBig ? 'store-invalid-record' : undefined
}

/** The refusal to open a database, by what SQLite or the file system said. */
export function openingError(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const code = resultCodeOf(cause)
  const primary = code === undefined ? undefined : code & 0xff
  if (primary === resultCodes.busy) return new StoreError('store-in-use', { cause })
  if (primary === resultCodes.notADatabase) return new StoreError('store-not-a-database', { cause })
  if (primary === resultCodes.corrupt) return new StoreError('store-damaged', { cause })
  const isPath = code === undefined || primary === resultCodes.cantOpen
  return new StoreError(isPath ? 'store-unreachable' : 'store-unavailable', { cause })
}

/**
 * Whether nothing that the open database says can be believed any more: after a failed flush the kernel may have
 * dropped what it could not write, so only reopening, which recovers from the log on disk, is safe.
 */
export function isFatal(error: unknown): boolean {
  const code = resultCodeOf(error instanceof StoreError ? error.cause : error)
  if (code === undefined) return false
  return [resultCodes.io, resultCodes.corrupt, resultCodes.notADatabase].includes(code & 0xff)
}
