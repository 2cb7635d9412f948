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
  const bits = reader.bytes(size)
  const pcrs = Array.from({ length: size * 8 }, (_, pcr) => pcr).filter(pcr =>
    isSelected(bits, pcr),
  )
  const beyond = pcrs.find(pcr => pcr > 23)
  if (beyond !== undefined)
    throw new FormatError('structure-value', { expected: 'PCRs 0 to 23', found: hex(beyond) })
  return { hash: bank, pcrs }
}

function isSelected(bits: Uint8Array, pcr: number): boolean {
  return ((bits[pcr >> 3] ?? 0) & (1 << (pcr & 7))) !== 0
}

/** TPML_PCR_SELECTION with three bytes a bank, the size of every PC Client TPM. */
export function encodePcrSelections(selections: readonly PcrSelection[]): Uint8Array {
  return Buffer.concat([u32(selections.length), ...selections.map(encodeSelection)])
}

function encodeSelection({ hash, pcrs }: PcrSelection): Uint8Array {
  const bits = new Uint8Array(3)
  for (const pcr of pcrs) {
    if (!Number.isInteger(pcr) || pcr < 0 || pcr > 23) throw new TypeError(`no such PCR: ${pcr}`)
    bits[pcr >> 3] = (bits[pcr >> 3] ?? 0) | (1 << (pcr & 7))
  }
  return Buffer.concat([u16(hash), u8(bits.length), bits])
}
