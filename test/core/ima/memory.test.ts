import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import type { QuotedBank } from '../../../src/core/eventlog/quote.ts'
import { appraiseImaListInSlices } from '../../../src/core/ima/appraise.ts'
import { parseImaListInSlices } from '../../../src/core/ima/list.ts'
import { verifyImaListInSlices } from '../../../src/core/ima/verify.ts'
import type { Sliced } from '../../../src/core/slices.ts'
import { quoteOf } from '../../../swtpm/emulated/event-log.ts'
import {
  aggregateEntry,
  fileEntry,
  makeImaList,
  withIma,
} from '../../../swtpm/emulated/ima-list.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
const slicesBetween = 4

/** Bytes on the heap and in buffers once what nobody holds is gone. */
function bytesInUse(): number {
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

interface MadeList {
  readonly bytes: Uint8Array
  readonly quoted: readonly QuotedBank[]
}

function makeList(count: number): MadeList {
  const base = quoteOf([], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const files = Array.from({ length: count }, (_, n) => fileEntry(`/usr/lib/module-${n}.so`))
  const entries = [aggregateEntry(base), ...files]
  return { bytes: makeImaList(entries), quoted: [withIma(base, entries)] }
}

/** What reading, verifying and judging a list holds at most at its breaks, beyond the list itself. */
function peakOf({ bytes, quoted }: MadeList): { readonly peak: number; readonly refused: number } {
  const before = bytesInUse()
  let [peak, slices] = [0, 0]
  const run = <T>(work: Sliced<T>): T => {
    for (;;) {
      const step = work.next()
      slices += 1
      if (step.done === true || slices % slicesBetween === 0)
        peak = Math.max(peak, bytesInUse() - before)
      if (step.done === true) return step.value
    }
  }
  const list = run(parseImaListInSlices(bytes))
  const verified = run(verifyImaListInSlices(list, { quoted, resetCount: 1 }))
  return { peak, refused: run(appraiseImaListInSlices(verified, {})).refused }
}

test('memory does not grow with the length of a list', t => {
  const [short, long] = [makeList(2_000), makeList(40_000)]
  peakOf(short)
  const [one, other] = [peakOf(short), peakOf(long)]
  t.deepEqual([one.refused, other.refused], [2_000, 40_000])
  t.log(`${one.peak} bytes for 2,000 entries, ${other.peak} bytes for 40,000`)
  t.true(other.peak < 1024 * 1024, `${other.peak} bytes beside a list of ${long.bytes.length}`)
})
