import { parseAuditEntry } from '../core/log/audit-entry.ts'
import { verifyCheckpoint } from '../core/log/checkpoint.ts'
import { parseEntryBundle } from '../core/log/entry-bundle.ts'
import { decisionsOf, type DecisionRecord } from '../core/authorization/replay.ts'
import type { Service } from './service.ts'

const bundleWidth = 256

/** The newest decisions in the log, newest first, of at most so many entries. */
export async function* newestDecisions(
  service: Service,
  entries: number,
): AsyncGenerator<DecisionRecord> {
  const { size } = verifyCheckpoint(await service.store.audit.checkpoint(), service.logVerifier)
  const last = Math.ceil(size / bundleWidth)
  const first = Math.max(0, last - Math.ceil(entries / bundleWidth))
  for (let index = last - 1; index >= first; index -= 1) {
    const width = Math.min(bundleWidth, size - index * bundleWidth)
    const bundle = await service.store.audit.entryBundle(index, width)
    if (bundle === undefined) continue
    for (const entry of parseEntryBundle(bundle, width).toReversed())
      yield* decisionsOf(parseAuditEntry(entry))
  }
}
