import { createHash } from 'node:crypto'
import {
  conceptualMessage,
  encodeCmwCollection,
  parseCmwCollection,
  type CmwRecord,
} from '../cmw/cmw.ts'
import { EvidenceFormatError } from './error.ts'
import type { EvidenceFormat, EvidenceRecords } from './evidence-format.ts'

/** The kind of collection that Evidence of a format is kept as. */
function collectionType(format: { readonly id: string }): string {
  return `tag:assay,2026:${format.id}`
}

/** A record that says of itself that it is Evidence. */
export function evidenceRecord(type: string, value: Uint8Array): CmwRecord {
  return { type, value, indicator: conceptualMessage.evidence }
}

/**
 * Evidence as it is kept: a conceptual message wrapper, one record for what the hardware said and one for each log.
 *
 * @see RFC 9999 §3.2, §3.3
 */
export function encodeEnvelope<E>(format: EvidenceFormat<E, unknown>, evidence: E): Uint8Array {
  return encodeCmwCollection({ type: collectionType(format), records: format.encode(evidence) })
}

/**
 * Reads kept Evidence back. Its content is as untrusted as it was when it came.
 *
 * @throws EvidenceFormatError `evidence-unreadable` for anything but what {@link encodeEnvelope} wrote for this format
 */
export function parseEnvelope<E>(format: EvidenceFormat<E, unknown>, bytes: Uint8Array): E {
  try {
    const { type, records } = parseCmwCollection(bytes)
    if (type !== collectionType(format)) throw unreadable(`a collection of ${type}`)
    const evidence = format.parse(records)
    if (Buffer.compare(encodeEnvelope(format, evidence), bytes) !== 0)
      throw unreadable('another form')
    return evidence
  } catch (cause) {
    throw cause instanceof EvidenceFormatError
      ? cause
      : new EvidenceFormatError('evidence-unreadable', { cause })
  }
}

function unreadable(found: string): EvidenceFormatError {
  return new EvidenceFormatError('evidence-unreadable', { found })
}

/**
 * The value of a record that must be there, of this media type and marked as Evidence.
 *
 * @throws EvidenceFormatError `evidence-unreadable`
 */
export function requireRecord(records: EvidenceRecords, label: string, type: string): Uint8Array {
  const record = records.get(label)
  if (record?.type !== type || record.indicator !== conceptualMessage.evidence)
    throw new EvidenceFormatError('evidence-unreadable', { expected: `${label} as ${type}` })
  return record.value
}

/** As {@link requireRecord}; null where there is none. */
export function optionalRecord(
  records: EvidenceRecords,
  label: string,
  type: string,
): Uint8Array | null {
  return records.has(label) ? requireRecord(records, label, type) : null
}

/** Hex SHA-256 of kept Evidence: the name by which verdicts, certificates and tokens refer to it. */
export function envelopeSha256(kept: Uint8Array): string {
  return createHash('sha256').update(kept).digest('hex')
}
