import type { DerElement } from '../../der/reader.ts'
import { TAG } from '../../der/tag.ts'
import type { FormLint } from '../lint.ts'

/** UTCTime through 2049, GeneralizedTime from 2050, both to the second and in UTC. */
export const validityEncoding: FormLint = {
  code: 'lint-validity-encoding',
  summary: 'A time is not encoded as its year asks for.',
  source: 'RFC 5280 §4.1.2.5',
  find: ({ notBefore, notAfter }) => {
    const wrong = [notBefore, notAfter].find(time => !isWellEncoded(time))
    return wrong === undefined ? undefined : textOf(wrong)
  },
}

function isWellEncoded(time: DerElement): boolean {
  if (time.tag === TAG.utcTime) return /^\d{12}Z$/.test(textOf(time))
  // A year below 2050 is one that UTCTime writes.
  return (
    time.tag === TAG.generalizedTime &&
    /^(20[5-9]|2[1-9]|[3-9])\d+Z$/.test(textOf(time)) &&
    time.contents.length === 15
  )
}

function textOf(time: DerElement): string {
  return Buffer.from(time.contents).toString('latin1')
}
