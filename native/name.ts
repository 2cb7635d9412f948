import { createHash } from 'node:crypto'

const hashes = new Map([
  [0x0004, 'sha1'],
  [0x000b, 'sha256'],
  [0x000c, 'sha384'],
  [0x000d, 'sha512'],
])

/** Whether `name` is nameAlg ‖ H_nameAlg(TPMT_PUBLIC): TPM 2.0 Part 1 r01.59 §16. */
export function isNameOf(name: Uint8Array, area: Uint8Array): boolean {
  const algorithm = area.subarray(2, 4)
  const hash = hashes.get(Buffer.from(algorithm).readUInt16BE())
  if (hash === undefined) return false
  return Buffer.concat([algorithm, createHash(hash).update(area).digest()]).equals(name)
}
