import * as fc from 'fast-check'

/** What a fuzzer does to bytes: sets, inserts, deletes, repeats. */
const mutation = fc.record({
  kind: fc.constantFrom('set', 'insert', 'delete', 'repeat', 'cut'),
  at: fc.nat(4000),
  octets: fc.uint8Array({ minLength: 1, maxLength: 6 }),
})

function mutate(
  bytes: Uint8Array,
  { kind, at, octets }: { kind: string; at: number; octets: Uint8Array },
): Uint8Array {
  const start = at % (bytes.length + 1)
  const [before, after] = [bytes.subarray(0, start), bytes.subarray(start)]
  if (kind === 'set') return Buffer.concat([before, octets, after.subarray(octets.length)])
  if (kind === 'insert') return Buffer.concat([before, octets, after])
  if (kind === 'delete') return Buffer.concat([before, after.subarray(octets.length)])
  return kind === 'repeat' ? Buffer.concat([before, after, after]) : before
}

/** Bytes that were valid until up to four changes were made to them. */
export const mutated = (seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.constantFrom(...seeds), fc.array(mutation, { minLength: 1, maxLength: 4 }))
    .map(([seed, mutations]) => mutations.reduce(mutate, seed))
