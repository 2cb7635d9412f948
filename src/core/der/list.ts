import { DerError } from './error.ts'

/** A list that has to have one value or more: SIZE (1..MAX). Throws DerError `der-value` for an empty one. */
export function nonEmpty<T>(list: T[]): T[] {
  if (list.length === 0)
    throw new DerError('der-value', { expected: 'a list of one value or more' })
  return list
}
