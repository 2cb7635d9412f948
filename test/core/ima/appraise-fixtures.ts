import {
  appraiseImaList,
  type ImaAppraisal,
  type ImaRules,
} from '../../../src/core/ima/appraise.ts'
import { parseImaList } from '../../../src/core/ima/list.ts'
import { verifyImaList } from '../../../src/core/ima/verify.ts'
import { quoteOf } from '../../../swtpm/emulated/event-log.ts'
import { unifiedBoot } from '../../../swtpm/emulated/boot-events.ts'
import {
  aggregateEntry,
  makeImaList,
  withIma,
  type MadeEntry,
} from '../../../swtpm/emulated/ima-list.ts'

/** What is quoted of the boot. */
export const base = quoteOf(unifiedBoot(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])

/** Appraises entries that a quote covers. */
export function appraise(entries: readonly MadeEntry[], rules: ImaRules): ImaAppraisal {
  const made = [aggregateEntry(base), ...entries]
  const quoted = [withIma(base, made)]
  return appraiseImaList(
    verifyImaList(parseImaList(makeImaList(made)), { quoted, resetCount: 1 }),
    rules,
  )
}

/** Codes of what was refused. */
export function codes(appraisal: ImaAppraisal): string[] {
  return appraisal.refusals.map(({ code }) => code)
}
