import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'cmw-malformed': {
    summary: 'This is not a conceptual message wrapper in JSON.',
    hint: 'Give a collection whose members are records: media type, base64url value, indicator.',
    source: 'RFC 9999 §3',
  },
} as const satisfies Record<string, ErrorRow>

/** A wrapper that cannot be read. */
export class CmwError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** Bits of the indicator (RFC 9999 §3.1, cm-type). */
export const conceptualMessage = {
  referenceValues: 1,
  endorsements: 2,
  evidence: 4,
  attestationResults: 8,
  appraisalPolicy: 16,
} as const

/** One conceptual message and what it is. */
export interface CmwRecord {
  /** Media type. */
  readonly type: string
  readonly value: Uint8Array
  /** Which conceptual messages the value holds, as a sum of bits; 0 where nothing is said. */
  readonly indicator: number
}

/** Records by label; `type` names the kind of collection. */
export interface CmwCollection {
  /** A URI or an OID. */
  readonly type: string
  readonly records: ReadonlyMap<string, CmwRecord>
}

const typeMember = '__cmwc_t'
const mediaType = /^[a-z]+\/[\w.+-]+(; ?[\w-]+=("[^"\\]*"|[\w.:/-]+))*$/i
const maxRecords = 16

/** Bytes of the one JSON form that {@link parseCmwCollection} reads: no spaces, members in the map's order. */
export function encodeCmwCollection({ type, records }: CmwCollection): Uint8Array {
  const members = [...records].map(([label, record]) => [label, encodeRecord(record)] as const)
  return Buffer.from(JSON.stringify({ [typeMember]: type, ...Object.fromEntries(members) }))
}

function encodeRecord({ type, value, indicator }: CmwRecord): unknown[] {
  return [type, encodeBase64url(value), ...(indicator === 0 ? [] : [indicator])]
}

/**
 * Reads a collection of records; a collection within a collection is not read.
 *
 * @throws CmwError `cmw-malformed`
 * @see RFC 9999 §3.2, §3.3
 */
export function parseCmwCollection(bytes: Uint8Array): CmwCollection {
  const value = parseObject(bytes)
  const { [typeMember]: type, ...members } = value
  if (typeof type !== 'string' || type === '') throw malformed(`${typeMember} is missing`)
  const entries = Object.entries(members)
  if (entries.length === 0 || entries.length > maxRecords)
    throw malformed(`${entries.length} records`)
  return { type, records: new Map(entries.map(([label, item]) => [label, parseRecord(item)])) }
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw new CmwError('cmw-malformed', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('no collection')
  return value as Record<string, unknown>
}

function parseRecord(item: unknown): CmwRecord {
  if (!Array.isArray(item) || item.length < 2 || item.length > 3) throw malformed('no record')
  const [type, value, indicator = 0] = item as unknown[]
  if (typeof type !== 'string' || !mediaType.test(type)) throw malformed('no media type')
  if (!Number.isInteger(indicator) || (indicator as number) < 0 || (indicator as number) > 31)
    throw malformed('an unknown indicator')
  return { type, value: decodeValue(value), indicator: indicator as number }
}

function decodeValue(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw malformed('a value that is no text')
  try {
    return decodeBase64url(value)
  } catch (cause) {
    throw new CmwError('cmw-malformed', { found: 'a value that is not base64url', cause })
  }
}

function malformed(found: string): CmwError {
  return new CmwError('cmw-malformed', { found })
}
