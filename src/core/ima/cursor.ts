import { ImaError } from './error.ts'
import { templateAt, type Template } from './template.ts'

/** Bytes of a template digest in the list that every kernel has; it is SHA-1 there whatever the banks. */
export const defaultDigestSize = 20
const maxTemplateName = 16
const legacyNameMax = 255
const lastPcr = 23

/**
 * Moves over the entries of a list without making an object for each.
 *
 *     entry { pcr UINT32, templateDigest [20], nameLength UINT32, name [], dataLength UINT32, data [] }
 *     "ima" { pcr UINT32, templateDigest [20], nameLength UINT32, name [], digest [20], pathLength UINT32, path [] }
 *
 * All numbers are little-endian. Throws ImaError `ima-malformed`, `ima-template`, `ima-name`.
 *
 * @see Linux ima_measurements_show; verification I1, I6
 */
export class ImaCursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #digestSize: number
  pcr = 0
  isViolation = false
  /** Of the entry that the cursor stands on; before the first one it is of no kind. */
  template: Template = { name: '', fields: [] }
  /** What the template digest is of, for every template but `ima`. */
  dataStart = 0
  dataEnd = 0
  /** Where the next entry begins: after a call that returned false, where the last complete one ended. */
  offset: number

  constructor(bytes: Uint8Array, offset = 0, digestSize = defaultDigestSize) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#digestSize = digestSize
    this.offset = offset
  }

  /** Reads the next entry; false at the end of the list, or where the rest is less than one entry. */
  next(): boolean {
    const start = this.offset
    const nameAt = start + 8 + this.#digestSize
    const nameLength = this.#sizeAt(nameAt - 4)
    if (nameLength === undefined) return false
    if (nameLength > maxTemplateName)
      throw new ImaError('ima-template', { found: `${nameLength} bytes` })
    const dataAt = nameAt + nameLength
    if (dataAt > this.#bytes.length) return false
    const template = templateAt(this.#bytes, nameAt, dataAt)
    if (template === undefined) throw new ImaError('ima-template', { found: `at byte ${start}` })
    return this.#readData(start, template, dataAt)
  }

  #readData(start: number, template: Template, dataAt: number): boolean {
    const isLegacy = template.fields.length === 0
    const sizeAt = isLegacy ? dataAt + 20 : dataAt
    const size = this.#sizeAt(sizeAt)
    if (size === undefined) return false
    if (isLegacy && size > legacyNameMax) throw new ImaError('ima-name', { found: `${size} bytes` })
    const end = sizeAt + 4 + size
    if (end > this.#bytes.length) return false
    this.pcr = this.#view.getUint32(start, true)
    if (this.pcr > lastPcr) throw new ImaError('ima-malformed', { found: `PCR ${this.pcr}` })
    this.isViolation = isZero(this.#bytes, start + 4, start + 4 + this.#digestSize)
    this.template = template
    this.dataStart = isLegacy ? dataAt : sizeAt + 4
    this.dataEnd = end
    this.offset = end
    return true
  }

  #sizeAt(at: number): number | undefined {
    return at + 4 > this.#bytes.length ? undefined : this.#view.getUint32(at, true)
  }
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (bytes[at] !== 0) return false
  return true
}
