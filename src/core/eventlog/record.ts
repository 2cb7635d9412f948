import { LittleEndianReader } from '../uefi/little-endian-reader.ts'
import { hex } from '../bytes/format-error.ts'
import { TPM_ALG } from '../tpm/algorithm.ts'
import type { LogBank } from './bank.ts'
import { EventLogError } from './error.ts'

/** One event. Type and data are untrusted: only the digests are shown by PCRs. All bytes are views of the log. */
export interface EventRecord {
  /** Place in the log; the header of a crypto-agile log is 0. */
  readonly index: number
  readonly pcr: number
  readonly type: number
  /** By TPM_ALG_ID; may lack a bank of the log. */
  readonly digests: ReadonlyMap<number, Uint8Array>
  readonly data: Uint8Array
}

type RawRecord = Omit<EventRecord, 'index'>

/**
 *     TCG_PCR_EVENT { pcrIndex UINT32, eventType UINT32, digest [20], eventSize UINT32, event [] }
 *
 * @throws FormatError `structure-short`
 * @see TCG PC Client Platform Firmware Profile r1.05 §10.1
 */
export function readLegacyRecord(reader: LittleEndianReader): RawRecord {
  const [pcr, type] = [reader.u32(), reader.u32()]
  const digests = new Map([[TPM_ALG.SHA1, reader.bytes(20)]])
  return { pcr, type, digests, data: reader.bytes(reader.u32()) }
}

/**
 *     TCG_PCR_EVENT2 { pcrIndex UINT32, eventType UINT32, digests { count UINT32, { hashAlg UINT16, digest [] } [] },
 *                      eventSize UINT32, event [] }
 *
 * Events of some machines lack a bank; none has a digest twice or of an algorithm that the header does not name.
 *
 * @throws EventLogError `eventlog-digests`; FormatError `structure-short`
 * @see TCG PC Client Platform Firmware Profile r1.05 §10.2; verification L3
 */
export function readAgileRecord(
  reader: LittleEndianReader,
  banks: ReadonlyMap<number, LogBank>,
): RawRecord {
  const [pcr, type] = [reader.u32(), reader.u32()]
  const digests = readDigests(reader, banks)
  return { pcr, type, digests, data: reader.bytes(reader.u32()) }
}

function readDigests(
  reader: LittleEndianReader,
  banks: ReadonlyMap<number, LogBank>,
): Map<number, Uint8Array> {
  const count = reader.u32()
  if (count === 0 || count > banks.size)
    throw new EventLogError('eventlog-digests', {
      expected: `1 to ${banks.size}`,
      found: `${count}`,
    })
  const digests = new Map<number, Uint8Array>()
  for (let i = 0; i < count; i += 1) {
    const id = reader.u16()
    const bank = banks.get(id)
    if (bank === undefined || digests.has(id))
      throw new EventLogError('eventlog-digests', { expected: 'each bank once', found: hex(id) })
    digests.set(id, reader.bytes(bank.size))
  }
  return digests
}
