import { decodeUtf8 } from '../uefi/text.ts'
import { fileHashes, type FileDigest } from './digest.ts'
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

const [sha1] = fileHashes

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
  const digests = template.fields.includes('d-ngv2') ? 'd-ngv2' : 'd-ng'
  const name = fieldOf(fields, 'n-ng')
  requireNameField(name)
  const original = fields.get('d-modsig')
  if (original !== undefined && original.length > 0) parseDigestField('d-ng', original)
  return {
    digest: parseDigestField(digests, fieldOf(fields, digests)),
    nameBytes: name.subarray(0, -1),
    signature: presentOf(fields.get('sig')),
    buffer: fields.get('buf'),
  }
}

function splitFields(
  names: readonly TemplateField[],
  data: Uint8Array,
): ReadonlyMap<TemplateField, Uint8Array> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const fields = new Map<TemplateField, Uint8Array>()
  let at = 0
  for (const name of names) {
    if (at + 4 > data.length) throw new ImaError('ima-field', { expected: name })
    const end = at + 4 + view.getUint32(at, true)
    if (end > data.length) throw new ImaError('ima-field', { expected: name })
    fields.set(name, data.subarray(at + 4, end))
    at = end
  }
  if (at !== data.length)
    throw new ImaError('ima-field', { found: `${data.length - at} more bytes` })
  return fields
}

function fieldOf(fields: ReadonlyMap<TemplateField, Uint8Array>, name: TemplateField): Uint8Array {
  const field = fields.get(name)
  if (field === undefined) throw new TypeError(`the template has no field ${name}`)
  return field
}

function presentOf(field: Uint8Array | undefined): Uint8Array | undefined {
  return field === undefined || field.length === 0 ? undefined : field
}

/** digest [20], length UINT32, path []: the cursor read that far. */
function parseLegacyContent(data: Uint8Array): EntryContent {
  const path = data.subarray(24)
  if (path.length === 0 || path.includes(0))
    throw new ImaError('ima-name', { found: `${path.length} bytes` })
  if (sha1 === undefined) throw new TypeError('the table of hashes begins with SHA-1')
  const digest: FileDigest = { type: 'ima', hash: sha1, value: data.subarray(0, 20) }
  return { digest, nameBytes: path, signature: undefined, buffer: undefined }
}

/** A name as text. Bytes that are no UTF-8 cannot match a path of an allow-list, however they are shown. */
export function entryName(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes)
  return text ?? `\uFFFD${Buffer.from(bytes).toString('latin1')}`
}
