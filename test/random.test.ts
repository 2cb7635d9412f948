import test from 'ava'
import { createRandom } from '../src/random.ts'

test('every byte is given out once, whatever the lengths asked for', t => {
  const random = createRandom()
  const seen = new Set<string>()
  for (let n = 0; n < 3_000; n += 1) {
    const bytes = random.bytes(16 + (n % 32))
    t.is(bytes.length, 16 + (n % 32))
    seen.add(Buffer.from(bytes).toString('hex').slice(0, 32))
  }
  t.is(seen.size, 3_000)
})

test('what was given out is its taker’s own, and a long wish is met', t => {
  const random = createRandom()
  const first = random.bytes(32)
  const copy = Uint8Array.from(first)
  random.bytes(4_000)
  random.bytes(4_000)
  t.deepEqual(first, copy)
  t.is(first.buffer.byteLength, 32)
  t.is(random.bytes(10_000).length, 10_000)
  t.is(random.bytes(0).length, 0)
  const all = random.bytes(4_096)
  t.true(all.some(byte => byte !== 0) && all.length === 4_096)
})
