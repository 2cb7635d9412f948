import type { QuotedBank } from '../eventlog/quote.ts'
import type { CheckRecorder } from '../verifier/check.ts'
import { matchesBoot } from './boot-aggregate.ts'
import { digestText } from './digest.ts'
import type { ImaEntry } from './entry.ts'
import type { ImaList } from './list.ts'
import type { Prefix } from './prefix.ts'
import type { ImaState } from './state.ts'

/** `verified` against the quoted PCRs, or `unproven` because they were not all quoted in the aggregate's bank. */
export type AggregateStanding = 'verified' | 'unproven'

/**
 * Requires a list to begin with the aggregate of the quoted boot, and every further one, as each kernel after kexec adds
 * it, to be of the same boot.
 *
 * @throws EvidenceError `ima-boot-aggregate`
 * @see Linux ima_add_boot_aggregate; verification I5
 */
export function verifyBootAggregates(
  checks: CheckRecorder,
  list: ImaList,
  prefix: Prefix,
  quoted: readonly QuotedBank[],
  before: ImaState | undefined,
): { readonly standing: AggregateStanding; readonly text: string } {
  const proven = list.aggregates.filter(({ index }) => index < prefix.count)
  const [first] = proven
  const text = before?.bootAggregate ?? textOf(first)
  const isFirst = before !== undefined || first?.index === 0
  if (text === undefined || !isFirst)
    checks.refuse('ima-boot-aggregate', { found: 'another entry at the beginning' })
  const outcomes = proven.map(entry => ({ entry, matches: matchesBoot(entry, quoted) }))
  const stranger = outcomes.find(
    ({ entry, matches }) => matches === false || (matches === undefined && textOf(entry) !== text),
  )
  if (stranger !== undefined)
    checks.refuse('ima-boot-aggregate', { found: `entry ${stranger.entry.index}` })
  const isVerified =
    before?.isBootVerified === true ||
    (outcomes.length > 0 && outcomes.every(({ matches }) => matches === true))
  const standing = isVerified ? 'verified' : 'unproven'
  checks.pass('ima-boot-aggregate', undefined, standing)
  return { standing, text }
}

function textOf(entry: ImaEntry | undefined): string | undefined {
  return entry === undefined ? undefined : digestText(entry.digest)
}
