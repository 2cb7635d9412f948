import type { QuotedBank } from '../../../src/core/eventlog/quote.ts'
import { parseImaList, type ImaList } from '../../../src/core/ima/list.ts'
import { verifyImaList, VerifiedImaList } from '../../../src/core/ima/verify.ts'
import { quoteOf } from '../../../swtpm/emulated/event-log.ts'
import { unifiedBoot } from '../../../swtpm/emulated/boot-events.ts'
import {
  aggregateEntry,
  fileEntry,
  makeImaList,
  withIma,
  type MadeEntry,
} from '../../../swtpm/emulated/ima-list.ts'

/** The boot before the list. */
export const boot = unifiedBoot()

/** What is quoted of it. */
export const base = quoteOf(boot, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11])

/** The first entry: what the boot came to. */
export const aggregate = aggregateEntry(base)

/** Four files. */
export const files = ['/init', '/bin/sh', '/usr/bin/agent', '/lib/libc.so'].map(path =>
  fileEntry(path),
)

/** A list that holds. */
export const entries = [aggregate, ...files]

/** Of the TPM (TPM 2.0 Part 1 §36). */
export const resetCount = 7

/** Entries as the kernel shows them. */
export function listOf(made: readonly MadeEntry[]): ImaList {
  return parseImaList(makeImaList(made))
}

/** Verifies entries against a quote. */
export function verify(
  made: readonly MadeEntry[],
  quote: QuotedBank,
  change: Partial<Parameters<typeof verifyImaList>[1]> = {},
): VerifiedImaList {
  return verifyImaList(listOf(made), { quoted: [quote], resetCount, ...change })
}

/** What is quoted after the list that holds. */
export const quote = withIma(base, entries)
