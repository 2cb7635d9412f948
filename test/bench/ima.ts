import { hash } from 'node:crypto'
import { parseImaList } from '../../src/core/ima/list.ts'
import { verifyImaList } from '../../src/core/ima/verify.ts'
import type { QuotedBank } from '../../src/core/eventlog/quote.ts'
import {
  aggregateEntry,
  fileEntry,
  makeImaList,
  withIma,
  type MadeEntry,
} from '../../swtpm/emulated/ima-list.ts'
import { measureMicroseconds } from './cost.ts'
import { createRate, type Rate } from './rate.ts'

const entryCount = 50_000

/**
 * Replay of a list of 50,000 files up to the quoted value of PCR 10, every entry parsed and checked. Beside it the two
 * hashes of each entry that nobody can spare: of its template data, and of the extension.
 */
export function benchIma(): Rate {
  const boot: QuotedBank = {
    bank: 'sha256',
    values: new Map(Array.from({ length: 10 }, (_, pcr) => [pcr, Buffer.alloc(32, pcr)])),
  }
  const files = Array.from({ length: entryCount - 1 }, (_, n) =>
    fileEntry(`/usr/lib/x86_64-linux-gnu/package-${n % 977}/module-${n}.so`),
  )
  const entries = [aggregateEntry(boot), ...files]
  const bytes = makeImaList(entries)
  const quoted = [withIma(boot, entries)]
  const own = measureMicroseconds(2, () => {
    const { count } = verifyImaList(parseImaList(bytes), { quoted, resetCount: 1 })
    if (count.proven !== entryCount) throw new Error(`${count.proven} entries are proven`)
  })
  return createRate(own, measureRaw(entries))
}

function measureRaw(entries: readonly MadeEntry[]): number {
  return measureMicroseconds(2, () => {
    const extension = Buffer.alloc(64)
    for (const { data } of entries) {
      extension.set(hash('sha256', data, 'buffer'), 32)
      extension.set(hash('sha256', extension, 'buffer'), 0)
    }
  })
}
