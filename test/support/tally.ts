import type { Outcome } from './stage.ts'
import type { TapSummary } from './tap.ts'

/** What failed, with what a reader of a log needs to see of it. */
interface Failure {
  readonly name: string
  readonly lines: readonly string[]
}

/** The sum of a run so far. */
export interface Tally {
  readonly passed: number
  readonly skipped: number
  readonly failures: readonly Failure[]
}

export const emptyTally: Tally = { passed: 0, skipped: 0, failures: [] }

/** Lines of a failed stage that are shown; the end of an output says most. */
const shownLines = 200

/** Adds a stage that is one check: it counts when it fails. */
export function withStage(tally: Tally, name: string, outcome: Outcome): Tally {
  if (outcome.ok) return tally
  return { ...tally, failures: [...tally.failures, { name, lines: tail(outcome.output) }] }
}

/** Adds the tests of a stage. One that fails without a failed test, or without any test, fails as a whole. */
export function withTests(
  tally: Tally,
  name: string,
  outcome: Outcome,
  summary: TapSummary,
): Tally {
  const counted = summary.passed + summary.failures.length
  const broken = summary.failures.length === 0 && (!outcome.ok || counted === 0)
  const failures = summary.failures.map(failure => ({
    ...failure,
    name: `${name}: ${failure.name}`,
  }))
  return {
    passed: tally.passed + summary.passed,
    skipped: tally.skipped + summary.skipped,
    failures: [
      ...tally.failures,
      ...failures,
      ...(broken ? [{ name, lines: tail(outcome.output) }] : []),
    ],
  }
}

/** What failed, name first, at the end of a log where it is found. */
export function report(tally: Tally): string[] {
  return tally.failures.flatMap(({ name, lines }) => ['', `FAILED ${name}`, ...lines])
}

/** `N passed, N failed`, and how many were skipped where any were. */
export function lastLine({ passed, skipped, failures }: Tally): string {
  return `${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

export function isGreen(tally: Tally): boolean {
  return tally.failures.length === 0
}

function tail(output: string): string[] {
  const lines = output.trimEnd().split('\n')
  return lines.length <= shownLines
    ? lines
    : [`… ${lines.length - shownLines} lines before`, ...lines.slice(-shownLines)]
}
