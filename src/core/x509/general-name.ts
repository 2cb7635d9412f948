import { DerError } from '../der/error.ts'
import type { DerReader } from '../der/reader.ts'
import { constructedContextTag, contextTag, TAG } from '../der/tag.ts'
import { textOf } from '../der/text.ts'
import { readObjectIdentifier, type DeviationSet } from '../der/value.ts'
import { readName, type Name } from './name.ts'

/**
 * One name of a subject. `ip` is an address of 4 or 16 octets, in a constraint an address and its mask; the value of
 * `other` is the encoding inside its tag, which is for whoever knows the type.
 */
export type GeneralName =
  | { readonly kind: 'email' | 'dns' | 'uri'; readonly text: string }
  | { readonly kind: 'ip'; readonly octets: Uint8Array }
  | { readonly kind: 'directory'; readonly name: Name }
  | { readonly kind: 'other'; readonly type: string; readonly value: Uint8Array }
  | { readonly kind: 'registered' | 'x400' | 'edi' }

export type GeneralNameKind = GeneralName['kind']

const textKinds: Readonly<Record<number, 'email' | 'dns' | 'uri'>> = {
  [contextTag(1)]: 'email',
  [contextTag(2)]: 'dns',
  [contextTag(6)]: 'uri',
}

/**
 *     GeneralName ::= CHOICE {
 *       otherName [0], rfc822Name [1] IA5String, dNSName [2] IA5String, x400Address [3], directoryName [4] Name,
 *       ediPartyName [5], uniformResourceIdentifier [6] IA5String, iPAddress [7] OCTET STRING,
 *       registeredID [8] OBJECT IDENTIFIER }
 *
 * @throws DerError
 * @see RFC 5280 §4.2.1.6
 */
export function readGeneralName(reader: DerReader, deviations: DeviationSet): GeneralName {
  if (reader.isNext(constructedContextTag(4))) {
    const name = reader.within(constructedContextTag(4), inside => readName(inside, deviations))
    return { kind: 'directory', name }
  }
  if (reader.isNext(constructedContextTag(0))) {
    return { kind: 'other', ...reader.within(constructedContextTag(0), readOtherName) }
  }
  if (reader.isNext(contextTag(8))) {
    readObjectIdentifier(reader, contextTag(8))
    return { kind: 'registered' }
  }
  const { tag, contents } = reader.element()
  const kind = textKinds[tag]
  if (kind !== undefined) return { kind, text: textOf(TAG.ia5String, contents) ?? '' }
  if (tag === contextTag(7)) return { kind: 'ip', octets: contents }
  if (tag === constructedContextTag(3)) return { kind: 'x400' }
  if (tag === constructedContextTag(5)) return { kind: 'edi' }
  throw new DerError('der-tag', { expected: 'a name of a known kind' })
}

function readOtherName(reader: DerReader): { type: string; value: Uint8Array } {
  const type = readObjectIdentifier(reader)
  return { type, value: reader.contents(constructedContextTag(0)) }
}
