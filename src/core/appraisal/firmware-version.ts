/**
 * A TPM's firmware version as people write it: the four 16-bit words of TPM_PT_FIRMWARE_VERSION_1 and _2, joined by
 * dots, at least two of them, without zeros at the end (`7.85`, `7.2.3.1`).
 *
 * @see TPM 2.0 Part 2 r01.59 §6.13 TPM_PT
 */
export function formatFirmwareVersion(version: bigint): string {
  const words = [48n, 32n, 16n, 0n].map(shift => Number((version >> shift) & 0xffffn))
  while (words.length > 2 && words.at(-1) === 0) words.pop()
  return words.join('.')
}

const form = /^\d{1,5}(\.\d{1,5}){0,3}$/

/** Reads what {@link formatFirmwareVersion} writes; missing words are zero. Undefined for any other text. */
export function parseFirmwareVersion(text: string): bigint | undefined {
  if (!form.test(text)) return undefined
  const words = text.split('.').map(Number)
  if (words.some(word => word > 0xffff)) return undefined
  return [0, 1, 2, 3].reduce((version, index) => (version << 16n) | BigInt(words[index] ?? 0), 0n)
}
