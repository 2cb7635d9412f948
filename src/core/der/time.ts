import { DerError } from './error.ts'
import type { DerReader } from './reader.ts'
import { TAG } from './tag.ts'

const utcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/
const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/

/**
 *     Time ::= CHOICE { utcTime UTCTime, generalTime GeneralizedTime }
 *
 * Reads a time to the second, in UTC, as Unix milliseconds; a year below 50 of UTCTime is of this century.
 *
 * @throws DerError
 * @see RFC 5280 §4.1.2.5
 */
export function readTime(reader: DerReader): number {
  if (reader.isNext(TAG.generalizedTime)) return readGeneralizedTime(reader)
  const parts = partsOf(reader.contents(TAG.utcTime), utcTime)
  const [year = 0, ...rest] = parts
  return unixTime([year < 50 ? 2000 + year : 1900 + year, ...rest])
}

/** GeneralizedTime of the form YYYYMMDDHHMMSSZ as Unix milliseconds. Throws DerError. RFC 5280 §4.1.2.5.2. */
export function readGeneralizedTime(reader: DerReader): number {
  return unixTime(partsOf(reader.contents(TAG.generalizedTime), generalizedTime))
}

function partsOf(contents: Uint8Array, form: RegExp): number[] {
  const text = contents.length > 15 ? '' : Buffer.from(contents).toString('latin1')
  const match = form.exec(text)
  if (match === null) throw new DerError('der-value', { expected: 'a time to the second, in UTC' })
  return match.slice(1).map(Number)
}

function unixTime([
  year = 0,
  month = 0,
  day = 0,
  hour = 0,
  minute = 0,
  second = 0,
]: number[]): number {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  // A date that JavaScript had to roll over, 31 April or 25 o'clock, is none.
  const isReal =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  if (!isReal) throw new DerError('der-value', { expected: 'a time of the calendar' })
  return date.getTime()
}
