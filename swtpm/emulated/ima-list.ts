import { createHash } from 'node:crypto'
import type { QuotedBank } from '../../src/core/eventlog/quote.ts'
import { digestOf, u32le, type BankName } from './event-log.ts'

/** An entry to be listed. */
export interface MadeEntry {
  readonly pcr?: number
  readonly template: string
  /** Template data; of `ima`, digest, length and path. */
  readonly data: Uint8Array
  /** Whether the template digest is zeros, as for a file that was open for writing. */
  readonly isViolation?: boolean
}

/** A field behind its length. */
export function sizedField(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([u32le(bytes.length), bytes])
}

/** The digest of a file's content as `d-ng` writes it. */
export function digestField(content: string, hash = 'sha256', prefix = ''): Uint8Array {
  const digest = createHash(hash).update(content).digest()
  return Buffer.concat([Buffer.from(`${prefix}${hash}:\0`), digest])
}

/** An entry of fields. */
export function entryOf(
  template: string,
  fields: readonly Uint8Array[],
  change: Partial<MadeEntry> = {},
): MadeEntry {
  return { template, data: Buffer.concat(fields.map(sizedField)), ...change }
}

/** A file by its path and content, in `ima-ng`. */
export function fileEntry(
  path: string,
  content = path,
  change: Partial<MadeEntry> = {},
): MadeEntry {
  return entryOf('ima-ng', [digestField(content), Buffer.from(`${path}\0`)], change)
}

/** A file that was open for writing while it was measured. */
export function violationEntry(path: string): MadeEntry {
  const digest = Buffer.concat([Buffer.from('sha256:\0'), Buffer.alloc(32)])
  return entryOf('ima-ng', [digest, Buffer.from(`${path}\0`)], { isViolation: true })
}

/** A file in the old template, `ima`. */
export function oldEntry(path: string, content = path): MadeEntry {
  const digest = createHash('sha1').update(content).digest()
  return { template: 'ima', data: Buffer.concat([digest, sizedField(Buffer.from(path))]) }
}

/** A measured buffer in `ima-buf`. */
export function bufferEntry(name: string, buffer: Uint8Array): MadeEntry {
  const digest = Buffer.concat([Buffer.from('sha256:\0'), digestOf('sha256', buffer)])
  return entryOf('ima-buf', [digest, Buffer.from(`${name}\0`), buffer])
}

/** The aggregate of a boot, over the PCRs of a quote. */
export function aggregateEntry(quote: QuotedBank, name = 'boot_aggregate'): MadeEntry {
  const last = quote.bank === 'sha1' ? 7 : 9
  const values = Array.from(
    { length: last + 1 },
    (_, pcr) => quote.values.get(pcr) ?? Buffer.alloc(0),
  )
  const digest = digestOf(quote.bank, Buffer.concat(values))
  const field = Buffer.concat([Buffer.from(`${quote.bank}:\0`), digest])
  return entryOf('ima-ng', [field, Buffer.from(`${name}\0`)])
}

/** One entry of a binary list. */
export function encodeEntry(entry: MadeEntry): Uint8Array {
  const { pcr = 10, template, data } = entry
  const isOld = template === 'ima'
  const digest = entry.isViolation === true ? Buffer.alloc(20) : digestOf('sha1', hashed(entry))
  const name = Buffer.from(template)
  return Buffer.concat([u32le(pcr), digest, sizedField(name), isOld ? data : sizedField(data)])
}

/** What the template digest is of: the data, and of `ima` digest and name, the name in 256 bytes. */
function hashed({ template, data }: MadeEntry): Uint8Array {
  if (template !== 'ima') return data
  const name = data.subarray(24)
  return Buffer.concat([data.subarray(0, 20), name, Buffer.alloc(Math.max(0, 256 - name.length))])
}

/** A binary list. */
export function makeImaList(entries: readonly MadeEntry[]): Uint8Array {
  return Buffer.concat(entries.map(encodeEntry))
}

/** What an entry extends its PCR by; `padded` as kernels before Linux 5.8 did it. */
export function entryDigest(entry: MadeEntry, bank: BankName, padded = false): Uint8Array {
  const size = digestOf(bank, Buffer.alloc(0)).length
  if (entry.isViolation === true) return Buffer.alloc(size, 0xff)
  if (!padded) return digestOf(bank, hashed(entry))
  return Buffer.concat([digestOf('sha1', hashed(entry)), Buffer.alloc(size - 20)])
}

/** What a PCR holds after these entries. Not the code under test. */
export function imaPcr(
  entries: readonly MadeEntry[],
  {
    bank = 'sha256',
    pcr = 10,
    start,
    padded = false,
  }: { bank?: BankName; pcr?: number; start?: Uint8Array; padded?: boolean } = {},
): Uint8Array {
  return entries
    .filter(entry => (entry.pcr ?? 10) === pcr)
    .reduce<Uint8Array>(
      (value, entry) => digestOf(bank, Buffer.concat([value, entryDigest(entry, bank, padded)])),
      start ?? Buffer.alloc(digestOf(bank, Buffer.alloc(0)).length),
    )
}

/** A quote with PCR 10, and others, as these entries leave them. */
export function withIma(
  quote: QuotedBank,
  entries: readonly MadeEntry[],
  pcrs: readonly number[] = [10],
  padded = false,
): QuotedBank {
  const { bank } = quote
  const values = pcrs.map(pcr => {
    const before = quote.values.get(pcr)
    const start = pcr === 10 || before === undefined ? {} : { start: before }
    return [pcr, imaPcr(entries, { bank, pcr, padded, ...start })] as const
  })
  return { bank, values: new Map([...quote.values, ...values]) }
}
