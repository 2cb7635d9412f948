const block = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END ([A-Z0-9 ]+)-----/g

/**
 * The bytes of the one PEM block with one of these labels; undefined where there is none, more than one, or where it
 * is not base64. Text around it is passed over (RFC 7468 §2).
 */
export function decodePem(text: string, labels: readonly string[]): Uint8Array | undefined {
  const found = [...text.matchAll(block)].filter(([, begin = '']) => labels.includes(begin))
  return found.length === 1 ? bytesOf(found[0]) : undefined
}

/** The bytes of every PEM block with one of these labels, in order; a block that is not base64 is passed over. */
export function decodePemBundle(text: string, labels: readonly string[]): Uint8Array[] {
  const found = [...text.matchAll(block)].filter(([, begin = '']) => labels.includes(begin))
  return found.flatMap(match => bytesOf(match) ?? [])
}

function bytesOf(match: RegExpExecArray | undefined): Uint8Array | undefined {
  const [, begin, body = '', end] = match ?? []
  if (begin !== end) return undefined
  const compact = body.replaceAll(/[\s]/g, '')
  const bytes = Buffer.from(compact, 'base64')
  // Node skips what it does not know; only a text that comes back the same was base64.
  return bytes.length > 0 && bytes.toString('base64') === compact ? bytes : undefined
}

/** A PEM block, 64 characters a line (RFC 7468 §2). */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}
