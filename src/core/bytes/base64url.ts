import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'base64url-malformed': {
    summary: 'The text is not base64url without padding.',
    hint: 'Encode with the URL-safe alphabet, without padding, white space or unused bits set.',
    source: 'RFC 7515 §2',
  },
} as const satisfies Record<string, ErrorRow>

/** Thrown by {@link decodeBase64url}. */
export class EncodingError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** base64url without padding (RFC 7515 §2). */
export function encodeBase64url(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('base64url')
}

/**
 * The bytes of a base64url text. One value has one text: padding, other alphabets and set unused bits are refused.
 *
 * @throws EncodingError `base64url-malformed`
 */
export function decodeBase64url(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64url')
  // Node skips what it does not know; only a text that comes back the same was one.
  if (bytes.toString('base64url') !== text) throw new EncodingError('base64url-malformed')
  return bytes
}
