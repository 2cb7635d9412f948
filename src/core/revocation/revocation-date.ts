import { parseDer } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { readTime } from '../der/time.ts'

const entryLimit = 0x8_0000

/**
 * When each certificate of a list was revoked, Unix milliseconds, in the order of the list: what relying parties do not
 * look at, and a list must say well nevertheless.
 *
 * @param tbs DER TBSCertList of version 2 with a nextUpdate
 * @throws DerError
 * @see RFC 5280 §5.1.2.6
 */
export function parseRevocationDates(tbs: Uint8Array): number[] {
  return parseDer(tbs, TAG.sequence, reader => {
    reader.contents(TAG.integer)
    reader.encoded(TAG.sequence)
    reader.encoded(TAG.sequence)
    readTime(reader)
    readTime(reader)
    const dates = reader.optional(TAG.sequence, list =>
      list.each(entryLimit, each =>
        each.within(TAG.sequence, entry => {
          entry.contents(TAG.integer)
          const date = readTime(entry)
          if (!entry.isAtEnd) entry.element()
          return date
        }),
      ),
    )
    reader.element()
    return dates ?? []
  })
}
