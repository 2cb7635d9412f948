import { LogError } from './log-error.ts'

/** The most bytes one entry can have: its length is a uint16. C2SP tlog-tiles v0.1.0 §Log entries. */
export const maxEntryBytes = 65_535

/**
 * Lays entries end to end, each behind its length. C2SP tlog-tiles v0.1.0 §Log entries.
 *
 *     struct { opaque entry<0..2^16-1>; } bundle[width];
 *
 * @throws {LogError} `entry-too-large`; an entry is never shortened
 */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  let size = 0
  for (const entry of entries) {
    if (entry.length > maxEntryBytes) throw entryTooLarge(entry.length)
    size += 2 + entry.length
  }
  const bundle = new Uint8Array(size)
  let at = 0
  for (const entry of entries) {
    bundle[at] = entry.length >> 8
    bundle[at + 1] = entry.length & 0xff
    bundle.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bundle
}

/** The refusal of an entry of `found` bytes. */
export function entryTooLarge(found: number): LogError {
  return new LogError('entry-too-large', {
    expected: `at most ${maxEntryBytes} bytes`,
    found: `${found} bytes`,
  })
}

/**
 * Parses a bundle of exactly `width` entries; the entries are views into `bytes`.
 *
 * @throws {LogError} `bundle-malformed` for a short read, trailing bytes, or another number of entries
 */
export function parseEntryBundle(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = []
  let at = 0
  while (at < bytes.length && entries.length < width) {
    const [high, low] = [bytes[at], bytes[at + 1]]
    if (high === undefined || low === undefined) throw malformed('a cut length')
    const end = at + 2 + high * 256 + low
    if (end > bytes.length) throw malformed('a cut entry')
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  if (at !== bytes.length) throw malformed(`${bytes.length - at} trailing bytes`)
  if (entries.length !== width) throw malformed(`${entries.length} entries, not ${width}`)
  return entries
}

function malformed(found: string): LogError {
  return new LogError('bundle-malformed', { found })
}
