import { encodeCanonicalJson } from './canonical-json.ts'
import { entryTooLarge, maxEntryBytes } from './entry-bundle.ts'
import { LogError } from './log-error.ts'

/** One act as it stands in the log, forever. */
export interface LoggedAct {
  /** Dotted, stable: `host.enrolled`. */
  readonly type: string
  /** Unix milliseconds. */
  readonly time: number
  readonly actor: string
  readonly subject: string
  /** Facts of the act; strings, safe integers, booleans, null, arrays and objects of them. */
  readonly detail: Readonly<Record<string, unknown>>
}

/** Version of the layout below. A reader refuses what it does not know. */
const version = 1

/**
 * The log entry of an act, canonical JSON text of at most 65,535 bytes in UTF-8:
 * `{"actor":…,"detail":{…},"subject":…,"time":…,"type":…,"version":1}`.
 *
 * @throws {LogError} `entry-unencodable`; `entry-too-large`, an entry is never shortened
 */
export function encodeAuditEntry({ type, time, actor, subject, detail }: LoggedAct): string {
  const text = encodeCanonicalJson({ actor, detail, subject, time, type, version })
  // A UTF-16 unit takes three bytes at most, so short texts need no count.
  if (text.length * 3 <= maxEntryBytes) return text
  const size = Buffer.byteLength(text)
  if (size > maxEntryBytes) throw entryTooLarge(size)
  return text
}

/**
 * Parses an entry and refuses every other spelling of it: re-encoding gives the same bytes.
 *
 * @throws {LogError} `entry-malformed`
 */
export function parseAuditEntry(bytes: Uint8Array): LoggedAct {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const act = actOf(JSON.parse(text))
    if (encodeAuditEntry(act) !== text) throw new LogError('entry-malformed')
    return act
  } catch (cause) {
    throw cause instanceof LogError && cause.code === 'entry-malformed'
      ? cause
      : new LogError('entry-malformed', { cause })
  }
}

function actOf(value: unknown): LoggedAct {
  if (!isObject(value) || value['version'] !== version) throw new LogError('entry-malformed')
  const { type, time, actor, subject, detail } = value
  if (typeof type !== 'string' || typeof actor !== 'string' || typeof subject !== 'string')
    throw new LogError('entry-malformed')
  if (typeof time !== 'number' || !isObject(detail)) throw new LogError('entry-malformed')
  return { type, time, actor, subject, detail }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
