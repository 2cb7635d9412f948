/** A change to a structure, whatever stands in it. */
export interface ByteMutation {
  readonly name: string
  readonly change: (bytes: Uint8Array) => Uint8Array
}

/**
 * Changes that leave no structure as it was: cut off at each offset, longer by some bytes, and each 16-bit size zero,
 * full, one less and one more.
 *
 * @param sample a structure of the same length as those that are changed
 * @param sizes offsets of 16-bit sizes
 */
export function byteMutations(sample: Uint8Array, sizes: readonly number[]): ByteMutation[] {
  const cut = Array.from({ length: sample.length }, (_, end) => ({
    name: `cut off at ${end}`,
    change: (bytes: Uint8Array) => bytes.subarray(0, end),
  }))
  const longer = [1, 2, 34, 1024].flatMap(length =>
    [0x00, 0xff].map(octet => ({
      name: `longer by ${length} of ${octet}`,
      change: (bytes: Uint8Array) => Buffer.concat([bytes, new Uint8Array(length).fill(octet)]),
    })),
  )
  return [...cut, ...longer, ...sizes.flatMap(sizeMutations)]
}

function sizeMutations(offset: number): ByteMutation[] {
  const resize = (name: string, resized: (size: number) => number): ByteMutation => ({
    name: `size at ${offset} ${name}`,
    change: bytes => {
      const changed = Buffer.from(bytes)
      changed.writeUInt16BE(resized(changed.readUInt16BE(offset)) & 0xffff, offset)
      return changed
    },
  })
  return [
    resize('one less', size => size - 1),
    resize('one more', size => size + 1),
    resize('full', () => 0xffff),
  ]
}

/** One bit of each byte turned round. */
export function flipEach(length: number): ByteMutation[] {
  return Array.from({ length }, (_, at) => ({
    name: `byte ${at} changed`,
    change: (bytes: Uint8Array) => {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ (1 << (at % 8)), at)
      return changed
    },
  }))
}
