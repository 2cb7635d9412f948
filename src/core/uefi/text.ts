const utf16 = new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true })
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-16 text without its closing zeros; undefined for bytes that are none (UEFI 2.10 §2.3.1 CHAR16). */
export function decodeUtf16(bytes: Uint8Array): string | undefined {
  if (bytes.length % 2 !== 0) return undefined
  try {
    return withoutClosingZeros(utf16.decode(bytes))
  } catch {
    return undefined
  }
}

/** UTF-8 text without its closing zeros; undefined for bytes that are none. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return withoutClosingZeros(utf8.decode(bytes))
  } catch {
    return undefined
  }
}

function withoutClosingZeros(text: string): string {
  let end = text.length
  while (end > 0 && text.codePointAt(end - 1) === 0) end -= 1
  return text.slice(0, end)
}

/** The bytes without their closing zeros. */
export function trimZeros(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.findLastIndex(byte => byte !== 0) + 1)
}
