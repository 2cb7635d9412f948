import { DerError } from './error.ts'
import { TAG } from './tag.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const utf16 = new TextDecoder('utf-16be', { fatal: true, ignoreBOM: true })
const printable = /^[A-Za-z0-9 '()+,\-./:=?]*$/

/** The text of a string value by its tag. A row a string type; other tags have no text. */
const decoders: Readonly<Record<number, (contents: Uint8Array) => string | undefined>> = {
  [TAG.utf8String]: contents => utf8.decode(contents),
  [TAG.printableString]: contents => ascii(contents, printable),
  [TAG.ia5String]: contents => ascii(contents, /^[\0-\x7f]*$/),
  // Read as ISO 8859-1, as everybody does; T.61 itself is read by nobody.
  [TAG.teletexString]: contents => Buffer.from(contents).toString('latin1'),
  [TAG.bmpString]: contents => (contents.length % 2 === 0 ? utf16.decode(contents) : undefined),
}

/** The text of a string value; undefined for a value of another type. Throws DerError for a malformed one. */
export function textOf(tag: number, contents: Uint8Array): string | undefined {
  const decode = decoders[tag]
  if (decode === undefined) return undefined
  let text: string | undefined
  try {
    text = decode(contents)
  } catch (cause) {
    throw new DerError('der-value', { expected: 'text in its encoding', cause })
  }
  if (text === undefined) throw new DerError('der-value', { expected: 'text of its alphabet' })
  return text
}

function ascii(contents: Uint8Array, alphabet: RegExp): string | undefined {
  const text = Buffer.from(contents).toString('latin1')
  return alphabet.test(text) ? text : undefined
}
