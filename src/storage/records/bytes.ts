/** A copy in a buffer of its own size: a thread boundary copies whole buffers, also what lies beside a view. */
export function exactBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

/** JSON array of base64url. */
export function encodeByteList(list: readonly Uint8Array[]): string {
  return JSON.stringify(list.map(bytes => Buffer.from(bytes).toString('base64url')))
}

/** What {@link encodeByteList} wrote. */
export function parseByteList(json: string): Uint8Array[] {
  return parseStringList(json).map(text => new Uint8Array(Buffer.from(text, 'base64url')))
}

/** JSON array of strings, as this layer wrote it. */
export function parseStringList(json: string): string[] {
  return JSON.parse(json) as string[]
}
