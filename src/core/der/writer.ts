/** DER writers (X.690 §8, §10): each gives one complete TLV; arguments are trusted, wrong ones are `TypeError`s. */

function encodeLength(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  if (length < 0x100) return Uint8Array.of(0x81, length)
  if (length < 0x10000) return Uint8Array.of(0x82, length >> 8, length & 0xff)
  if (length < 0x1000000)
    return Uint8Array.of(0x83, length >> 16, (length >> 8) & 0xff, length & 0xff)
  throw new TypeError('a DER value here is shorter than 16 MiB')
}

/** One TLV with a single-byte tag. */
export function tlv(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of contents) length += part.length
  return Buffer.concat([Uint8Array.of(tag), encodeLength(length), ...contents])
}

/** SEQUENCE of complete TLVs. */
export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return tlv(0x30, ...parts)
}

/** SET of one TLV; more would have to be sorted (X.690 §11.6). */
export function setOf(part: Uint8Array): Uint8Array {
  return tlv(0x31, part)
}

/** INTEGER from an unsigned big-endian number, shortest form. */
export function unsignedInteger(bytes: Uint8Array): Uint8Array {
  let start = 0
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1
  const trimmed = bytes.subarray(start)
  return (trimmed[0] ?? 0) < 0x80 && trimmed.length > 0
    ? tlv(0x02, trimmed)
    : tlv(0x02, Uint8Array.of(0), trimmed)
}

/** INTEGER of 0 to 127. */
export function smallInteger(value: number): Uint8Array {
  return Uint8Array.of(0x02, 0x01, value)
}

/** BOOLEAN TRUE. */
export const booleanTrue: Uint8Array = Uint8Array.of(0x01, 0x01, 0xff)

/** OBJECT IDENTIFIER from dotted decimal. */
export function objectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second, ...rest].flatMap(encodeArc)
  return tlv(0x06, Uint8Array.from(octets))
}

function encodeArc(arc: number): number[] {
  const octets = [arc % 128]
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128)) {
    octets.unshift((rest % 128) | 0x80)
  }
  return octets
}

/** BIT STRING of whole octets. */
export function bitString(bytes: Uint8Array): Uint8Array {
  return tlv(0x03, Uint8Array.of(0), bytes)
}

/** BIT STRING of named bits, trailing zeros left out (X.690 §11.2.2); `byte` holds bits 0 to 7 from the left. */
export function namedBits(byte: number): Uint8Array {
  if (byte === 0) return tlv(0x03, Uint8Array.of(0))
  const trailingZeros = 31 - Math.clz32(byte & -byte)
  return tlv(0x03, Uint8Array.of(trailingZeros, byte))
}

/** OCTET STRING. */
export function octetString(bytes: Uint8Array): Uint8Array {
  return tlv(0x04, bytes)
}

/** UTF8String. */
export function utf8String(text: string): Uint8Array {
  return tlv(0x0c, Buffer.from(text, 'utf8'))
}

/** `[n]` IMPLICIT over primitive contents. */
export function implicitPrimitive(n: number, contents: Uint8Array): Uint8Array {
  return tlv(0x80 | n, contents)
}

/** `[n]` EXPLICIT, or IMPLICIT over constructed contents. */
export function contextConstructed(n: number, ...contents: readonly Uint8Array[]): Uint8Array {
  return tlv(0xa0 | n, ...contents)
}

/**
 * Time of a certificate: UTCTime to 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5).
 *
 * @param ms Unix milliseconds; a fraction of a second is cut off
 */
export function certificateTime(ms: number): Uint8Array {
  const text = timeText(ms)
  return Number(text.slice(0, 4)) < 2050
    ? tlv(0x17, Buffer.from(text.slice(2)))
    : generalizedTime(ms)
}

/** GeneralizedTime to the second, in UTC, of Unix milliseconds; a fraction of a second is cut off. */
export function generalizedTime(ms: number): Uint8Array {
  return tlv(0x18, Buffer.from(timeText(ms)))
}

function timeText(ms: number): string {
  return `${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`
}

/** ENUMERATED of 0 to 127. */
export function enumerated(value: number): Uint8Array {
  return Uint8Array.of(0x0a, 0x01, value)
}
