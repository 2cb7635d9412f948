import { u16, u32, u8 } from '../bytes/encode.ts'
import { FormatError, hex } from '../bytes/format-error.ts'
import type { Reader } from '../bytes/reader.ts'

/** PCRs of one bank. */
export interface PcrSelection {
  /** TPM_ALG_ID of the bank. */
  readonly hash: number
  /** PCR numbers, ascending. */
  readonly pcrs: readonly number[]
}

const maxBanks = 16
const maxSelectBytes = 4

/**
 *     TPML_PCR_SELECTION { count UINT32, TPMS_PCR_SELECTION { hash UINT16, sizeofSelect UINT8, pcrSelect [] } [] }
 *
 * A bank may occur once; PCRs above 23 are no PCRs of a PC Client.
 *
 * @throws FormatError `structure-short`, `structure-value`
 * @see TPM 2.0 Part 2 r01.59 §10.9.7, §10.6.2
 */
export function readPcrSelections(reader: Reader): PcrSelection[] {
  const count = reader.u32()
  if (count > maxBanks)
    throw new FormatError('structure-value', {
      expected: `at most ${maxBanks} banks`,
      found: String(count),
    })
  const selections = Array.from({ length: count }, () => readSelection(reader))
  if (new Set(selections.map(selection => selection.hash)).size !== count) {
    throw new FormatError('structure-value', { expected: 'each bank once' })
  }
  return selections
}

function readSelection(reader: Reader): PcrSelection {
  const bank = reader.u16()
  const size = reader.u8()
  if (size > maxSelectBytes)
    throw new FormatError('structure-value', { expected: 'up to 4 bytes', found: String(size) })
  const pcrs = [...reader.bytes(size)].flatMap(selectedIn)
  const beyond = pcrs.find(pcr => pcr > 23)
  if (beyond !== undefined)
    throw new FormatError('structure-value', { expected: 'PCRs 0 to 23', found: hex(beyond) })
  return { hash: bank, pcrs }
}

/** PCRs of the octet with an index: PCR n is bit n mod 8 of octet n div 8. */
function selectedIn(octet: number, index: number): number[] {
  const bits = [0, 1, 2, 3, 4, 5, 6, 7].filter(bit => ((octet >> bit) & 1) === 1)
  return bits.map(bit => 8 * index + bit)
}

/** TPML_PCR_SELECTION with three bytes a bank, the size of every PC Client TPM. */
export function encodePcrSelections(selections: readonly PcrSelection[]): Uint8Array {
  return Buffer.concat([u32(selections.length), ...selections.map(encodeSelection)])
}

function encodeSelection({ hash, pcrs }: PcrSelection): Uint8Array {
  const missing = pcrs.find(pcr => !Number.isInteger(pcr) || pcr < 0 || pcr > 23)
  if (missing !== undefined) throw new TypeError(`no such PCR: ${missing}`)
  const bits = pcrs.reduce((all, pcr) => all | (1 << pcr), 0)
  const octets = Uint8Array.of(bits & 0xff, (bits >> 8) & 0xff, (bits >> 16) & 0xff)
  return Buffer.concat([u16(hash), u8(octets.length), octets])
}
