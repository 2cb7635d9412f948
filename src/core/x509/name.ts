import { DerError } from '../der/error.ts'
import type { DerReader } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { textOf } from '../der/text.ts'
import { readObjectIdentifier, readSetOf, type DeviationSet } from '../der/value.ts'

/** One attribute of a name. */
export interface NameAttribute {
  /** Dotted decimal. */
  readonly type: string
  /** Tag of the value. */
  readonly tag: number
  /** Undefined where the value is of no string type. */
  readonly text: string | undefined
  /** What two equal attributes have in common, whatever their string types, case and spacing. */
  readonly key: string
}

/** A distinguished name. */
export interface Name {
  readonly encoded: Uint8Array
  /** Relative names from the root down, each of one attribute or more. */
  readonly relativeNames: readonly (readonly NameAttribute[])[]
  /** Keys of the relative names; equal names have equal keys (RFC 5280 §7.1). */
  readonly keys: readonly string[]
}

const relativeNameLimit = 32
const attributeLimit = 16

/**
 *     Name ::= SEQUENCE OF RelativeDistinguishedName
 *     RelativeDistinguishedName ::= SET SIZE (1..MAX) OF SEQUENCE { type OBJECT IDENTIFIER, value ANY }
 *
 * @throws DerError
 * @see RFC 5280 §4.1.2.4
 */
export function readName(reader: DerReader, deviations: DeviationSet): Name {
  const encoded = reader.encoded(TAG.sequence)
  const relativeNames = reader
    .again(encoded)
    .within(TAG.sequence, inside =>
      inside.each(relativeNameLimit, names => readRelativeName(names, deviations)),
    )
  const keys = relativeNames.map(attributes =>
    JSON.stringify(attributes.map(({ key }) => key).sort()),
  )
  return { encoded, relativeNames, keys }
}

function readRelativeName(reader: DerReader, deviations: DeviationSet): NameAttribute[] {
  const attributes = readSetOf(reader, attributeLimit, deviations, readAttribute)
  if (attributes.length === 0) throw new DerError('der-value', { expected: 'an attribute' })
  return attributes
}

function readAttribute(reader: DerReader): NameAttribute {
  return reader.within(TAG.sequence, inside => {
    const type = readObjectIdentifier(inside)
    const { tag, contents } = inside.element()
    const text = textOf(tag, contents)
    // Text and octets have keys that cannot be taken for one another.
    const octets = `#${tag}:${Buffer.from(contents).toString('hex')}`
    const value = text === undefined ? octets : `"${fold(text)}`
    return { type, tag, text, key: `${type}=${value}` }
  })
}

/** Case and runs of spaces do not count, nor how a character is composed (RFC 5280 §7.1, RFC 4518 §2). */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase().trim().replaceAll(/\s+/g, ' ')
}

/** Whether two names are the same. */
export function isSameName(left: Name, right: Name): boolean {
  return left.keys.length === right.keys.length && isWithinName(left, right)
}

/** Whether a name lies in the subtree below `base`, or is it. */
export function isWithinName(name: Name, base: Name): boolean {
  return base.keys.every((key, index) => key === name.keys[index])
}

/** Whether a name says nothing. */
export function isEmptyName(name: Name): boolean {
  return name.keys.length === 0
}
