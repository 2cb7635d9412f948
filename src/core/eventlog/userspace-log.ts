import { CodedError, type ErrorFacts } from '../coded-error.ts'
import { hashAlgorithms, type HashAlgorithm } from '../tpm/algorithm.ts'
import { eventLogCheckRows } from './check-rows.ts'
import { pcrCount } from './replay.ts'

/** One measurement that a running system logged. Text is untrusted. */
export interface UserspaceEvent {
  readonly pcr: number
  /** By bank. */
  readonly digests: ReadonlyMap<HashAlgorithm['name'], Uint8Array>
  /** What was measured, in words; undefined where the log does not say. */
  readonly text: string | undefined
}

/** Thrown by {@link parseUserspaceLog}. */
export class UserspaceLogError extends CodedError<'eventlog-userspace-log'> {
  constructor(facts?: ErrorFacts) {
    super('eventlog-userspace-log', eventLogCheckRows['eventlog-userspace-log'], facts)
  }
}

const maxBytes = 1024 * 1024
const maxEvents = 4096
const recordSeparator = '\u001E'

/**
 * Reads the log that systemd keeps of what it measures after the firmware's log ended: JSON text sequences of events in
 * the manner of the Canonical Event Log. Measurements into NV indices are left out, they extend no PCR.
 *
 * @throws UserspaceLogError
 * @see RFC 7464; systemd docs/TPM2_PCR_MEASUREMENTS.md; TCG Canonical Event Log r1.0 §5
 */
export function parseUserspaceLog(bytes: Uint8Array): UserspaceEvent[] {
  if (bytes.length > maxBytes) throw new UserspaceLogError({ found: `${bytes.length} bytes` })
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const [before = '', ...records] = text.split(recordSeparator)
    if (before !== '' || records.length > maxEvents)
      throw new UserspaceLogError({ found: `${records.length} records` })
    return records.flatMap(record => eventsOf(JSON.parse(record)))
  } catch (cause) {
    throw cause instanceof UserspaceLogError ? cause : new UserspaceLogError({ cause })
  }
}

interface RawEvent {
  readonly pcr?: unknown
  readonly nv_index?: unknown
  readonly digests?: unknown
  readonly content?: { readonly string?: unknown } | null
}

function eventsOf(value: unknown): UserspaceEvent[] {
  const { pcr, nv_index: index, digests, content } = (value ?? {}) as RawEvent
  if (pcr === undefined && index !== undefined) return []
  if (!isPcr(pcr) || !Array.isArray(digests)) throw new UserspaceLogError({ found: 'an event' })
  const text = typeof content?.string === 'string' ? content.string : undefined
  const entries = digests.map(digestOf)
  const known = new Map(entries.filter(entry => entry !== undefined))
  const names = new Set(digests.map(digest => (digest as { hashAlg?: unknown }).hashAlg))
  if (names.size !== digests.length) throw new UserspaceLogError({ found: 'a digest twice' })
  return [{ pcr, digests: known, text }]
}

function isPcr(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < pcrCount
}

/** A digest of a known bank; undefined for another, which is read past. */
function digestOf(value: unknown): [HashAlgorithm['name'], Uint8Array] | undefined {
  const { hashAlg, digest } = (value ?? {}) as { hashAlg?: unknown; digest?: unknown }
  if (typeof hashAlg !== 'string' || typeof digest !== 'string')
    throw new UserspaceLogError({ found: 'a digest' })
  const row = hashAlgorithms.find(({ name }) => name === hashAlg)
  if (row === undefined) return undefined
  if (!new RegExp(`^[0-9a-f]{${row.size * 2}}$`).test(digest))
    throw new UserspaceLogError({ expected: `${row.size} bytes`, found: 'a digest' })
  return [row.name, Buffer.from(digest, 'hex')]
}
