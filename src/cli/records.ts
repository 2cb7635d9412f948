import { Answer } from '../attester/answer.ts'
import { AttesterError } from '../attester/error.ts'

/** One record of an answer of the service, to be shown. */
export type ShownRecord = Readonly<Record<string, unknown>>

/**
 * The records that an answer lists under a name.
 *
 * @throws AttesterError `answer-malformed`
 */
export function recordsOf(answer: unknown, name: string): readonly ShownRecord[] {
  return new Answer(answer, 'answer').list(name, (value, place) => recordOf(value, place))
}

/** An answer that is one record. Throws AttesterError `answer-malformed`. */
export function recordOf(value: unknown, place = 'answer'): ShownRecord {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as ShownRecord
  throw new AttesterError('answer-malformed', { expected: `${place}: an object` })
}

/** A member as a cell shows it: texts and numbers as they are, lists joined, nothing for what is not there. */
export function cellOf(record: ShownRecord, name: string): string {
  const value = record[name]
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return Array.isArray(value) ? value.map(String).join(' ') : ''
}
