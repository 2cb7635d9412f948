import { decodeUtf16, decodeUtf8, trimZeros } from '../uefi/text.ts'

/** Labels that GRUB writes before a text that it measures, longest first; the digest does not cover them. */
export const grubLabels = [
  'grub_kernel_cmdline ',
  'kernel_cmdline: ',
  'module_cmdline: ',
  'grub_cmd: ',
  'grub_cmd ',
] as const

const longestLabel = grubLabels[0].length

/**
 * The text of an EV_IPL event, where its digest is one of that text: GRUB's behind a label, systemd's in UTF-16.
 * Undefined where the digest is of something else, such as a file that the data only names.
 *
 * @param isDigestOf whether the event's digest is that of given bytes
 * @see GRUB 2.12 grub_tpm_verify_string; systemd docs/TPM2_PCR_MEASUREMENTS.md; verification L1
 */
export function boundText(
  data: Uint8Array,
  isDigestOf: (bytes: Uint8Array) => boolean,
): string | undefined {
  return labelledText(data, isDigestOf) ?? wideText(data, isDigestOf)
}

function labelledText(
  data: Uint8Array,
  isDigestOf: (bytes: Uint8Array) => boolean,
): string | undefined {
  const label = labelOf(data)
  if (label === undefined) return undefined
  const text = trimZeros(data.subarray(label.length))
  const isBound = isDigestOf(text) || isDigestOf(Buffer.concat([text, Buffer.alloc(1)]))
  return isBound ? decodeUtf8(text) : undefined
}

/** The label that the data of an event begins with. A hint: anyone who writes the log can change it. */
export function labelOf(data: Uint8Array): (typeof grubLabels)[number] | undefined {
  const length = Math.min(data.length, longestLabel)
  const start = Buffer.from(data.buffer, data.byteOffset, length).toString('latin1')
  return grubLabels.find(label => start.startsWith(label))
}

/** systemd logs UTF-16 and measures it with or without its closing zeros, or as ASCII with one. */
function wideText(
  data: Uint8Array,
  isDigestOf: (bytes: Uint8Array) => boolean,
): string | undefined {
  // systemd before version 250 logs one byte less than it measures.
  const whole = data.length % 2 === 0 ? data : Buffer.concat([data, Buffer.alloc(1)])
  const text = decodeUtf16(whole)
  if (text === undefined || text.length === 0) return undefined
  const wide = Buffer.from(text, 'utf16le')
  const forms = [whole, wide, Buffer.from(`${text}\0`, 'utf8')]
  return forms.some(isDigestOf) ? text : undefined
}
