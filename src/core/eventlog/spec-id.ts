import { LittleEndianReader } from '../uefi/little-endian-reader.ts'
import { hex } from '../bytes/format-error.ts'
import { logBank, type LogBank } from './bank.ts'
import { EventLogError } from './error.ts'

/** "Spec ID Event03", with its zero byte: the mark of the crypto-agile format. */
const signature = Buffer.from('Spec ID Event03\0', 'latin1')

const maxBanks = 16

/** Whether the data of a first event announces the crypto-agile format. */
export function isSpecIdEvent(data: Uint8Array): boolean {
  return Buffer.compare(data.subarray(0, signature.length), signature) === 0
}

/**
 *     TCG_EfiSpecIdEvent { signature [16], platformClass UINT32, specVersionMinor UINT8, specVersionMajor UINT8,
 *                          specErrata UINT8, uintnSize UINT8, numberOfAlgorithms UINT32,
 *                          digestSizes { algorithmId UINT16, digestSize UINT16 } [], vendorInfoSize UINT8, vendorInfo [] }
 *
 * @returns the banks that each event has digests of
 * @throws EventLogError `eventlog-header`, `eventlog-algorithm`; FormatError where it is short or long
 * @see TCG PC Client Platform Firmware Profile r1.05 §10.4.5.1; verification L2
 */
export function parseSpecIdEvent(data: Uint8Array): readonly LogBank[] {
  const reader = new LittleEndianReader(data)
  reader.bytes(signature.length + 4)
  const [minor, major] = [reader.u8(), reader.u8()]
  if (major !== 2 || minor !== 0)
    throw new EventLogError('eventlog-header', { expected: '2.0', found: `${major}.${minor}` })
  reader.bytes(2)
  const banks = readBanks(reader)
  reader.bytes(reader.u8())
  reader.finish()
  return banks
}

function readBanks(reader: LittleEndianReader): LogBank[] {
  const count = reader.u32()
  if (count === 0 || count > maxBanks) {
    const expected = `1 to ${maxBanks} algorithms`
    throw new EventLogError('eventlog-header', { expected, found: String(count) })
  }
  const banks = Array.from({ length: count }, () => readBank(reader))
  if (new Set(banks.map(({ id }) => id)).size !== count)
    throw new EventLogError('eventlog-algorithm', { expected: 'each algorithm once' })
  return banks
}

function readBank(reader: LittleEndianReader): LogBank {
  const [id, size] = [reader.u16(), reader.u16()]
  const bank = logBank(id, size)
  if (bank === undefined)
    throw new EventLogError('eventlog-algorithm', { found: `${hex(id)} of ${size} bytes` })
  return bank
}
