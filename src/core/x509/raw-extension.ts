import { DerError } from '../der/error.ts'
import { nonEmpty } from '../der/list.ts'
import { parseDer } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { readDefaultFalse, readObjectIdentifier, type DeviationSet } from '../der/value.ts'

const listLimit = 64

/** One extension as it stands in a certificate or a list, its value unread. */
export interface RawExtension {
  readonly id: string
  readonly isCritical: boolean
  readonly value: Uint8Array
}

/**
 *     Extensions ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
 *       extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
 *
 * @throws DerError for anything else, and for one that occurs twice
 * @see RFC 5280 §4.1.2.9, §4.2
 */
export function parseRawExtensions(encoded: Uint8Array, deviations: DeviationSet): RawExtension[] {
  const list = parseDer(encoded, TAG.sequence, inside =>
    inside.each(listLimit, extensions =>
      extensions.within(TAG.sequence, extension => {
        const id = readObjectIdentifier(extension)
        const isCritical = readDefaultFalse(extension, deviations)
        return { id, isCritical, value: extension.contents(TAG.octetString) }
      }),
    ),
  )
  if (new Set(list.map(({ id }) => id)).size !== nonEmpty(list).length) {
    throw new DerError('der-value', { expected: 'each extension once' })
  }
  return list
}
