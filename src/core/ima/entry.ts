import { decodeUtf8 } from '../uefi/text.ts'
import { sha1FileHash, type FileDigest } from './digest.ts'
import { ImaError } from './error.ts'
import { parseDigestField, requireNameField } from './field.ts'
import type { Template, TemplateField } from './template.ts'

/** One measurement. Untrusted until its list was verified. All bytes are views of the list. */
export interface ImaEntry {
  /** Place in the list, from 0. */
  readonly index: number
  readonly pcr: number
  readonly template: string
  /** Whether the file was open for writing while it was measured: the digest says nothing. */
  readonly isViolation: boolean
  readonly digest: FileDigest
  /** Path of a file, or the name of what else was measured. Bytes that are no UTF-8 are replaced. */
  readonly name: string
  /** Signature of the file as its attribute carries it; undefined where there is none. */
  readonly signature: Uint8Array | undefined
  /** Content of a measured buffer. */
  readonly buffer: Uint8Array | undefined
}

/** The parts of an entry that stand in its template data. */
export interface EntryContent extends Pick<ImaEntry, 'digest' | 'signature' | 'buffer'> {
  /** Without a closing zero byte. */
  readonly nameBytes: Uint8Array
}

/**
 * Reads the data of an entry by its template, to its last byte.
 *
 *     field { length UINT32, data [] } []
 *
 * @throws ImaError `ima-field`, `ima-name`, `ima-digest-algorithm`
 * @see Linux Documentation/security/IMA-templates.rst; verification I6
 */
export function parseEntryContent(template: Template, data: Uint8Array): EntryContent {
  if (template.fields.length === 0) return parseLegacyContent(data)
  const fields = splitFields(template.fields, data)
  // Every template but `ima` has a name and one of the two kinds of digest.
  const name = fields.get('n-ng') as Uint8Array
  const kind = fields.has('d-ngv2') ? 'd-ngv2' : 'd-ng'
  const digest = fields.get(kind) as Uint8Array
  const original = presentOf(fields.get('d-modsig'))
  requireNameField(name)
  if (original !== undefined) parseDigestField('d-ng', original)
  return {
    digest: parseDigestField(kind, digest),
    nameBytes: name.subarray(0, -1),
    signature: presentOf(fields.get('sig')),
    buffer: fields.get('buf'),
  }
}

/** As many fields as the template has, and nothing after them. */
function splitFields(
  names: readonly TemplateField[],
  data: Uint8Array,
): ReadonlyMap<TemplateField, Uint8Array> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const fields = new Map<TemplateField, Uint8Array>()
  let at = 0
  for (const name of names) {
    const start = at + 4
    if (start > data.length) throw new ImaError('ima-field', { expected: name })
    at = start + view.getUint32(at, true)
    if (at > data.length) throw new ImaError('ima-field', { expected: name })
    fields.set(name, data.subarray(start, at))
  }
  if (at !== data.length)
    throw new ImaError('ima-field', { found: `${data.length - at} more bytes` })
  return fields
}

function presentOf(field: Uint8Array | undefined): Uint8Array | undefined {
  return field === undefined || field.length === 0 ? undefined : field
}

/** digest [20], length UINT32, path []: the cursor read that far. */
function parseLegacyContent(data: Uint8Array): EntryContent {
  const path = data.subarray(24)
  if (path.length === 0 || path.includes(0))
    throw new ImaError('ima-name', { found: `${path.length} bytes` })
  const digest: FileDigest = { type: 'ima', hash: sha1FileHash, value: data.subarray(0, 20) }
  return { digest, nameBytes: path, signature: undefined, buffer: undefined }
}

/** A name as text. Bytes that are no UTF-8 cannot match a path of an allow-list, however they are shown. */
export function entryName(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes)
  return text ?? `\uFFFD${Buffer.from(bytes).toString('latin1')}`
}
