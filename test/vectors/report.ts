import type { Finding } from './vector.ts'

/** A finding that is not as expected, or a file that could not be put to the test, by name. */
export interface Difference {
  readonly kind: string
  readonly name: string
  readonly detail: string
}

/** How the files of one kind came out. */
export interface KindReport {
  readonly kind: string
  /** Accepted as expected. */
  readonly accepted: number
  /** Refused or malformed as expected. */
  readonly refused: number
  readonly differences: readonly Difference[]
}

/** Counts the findings of one kind; what could not be tested at all is in `unchecked`. */
export function reportOf(
  kind: string,
  findings: readonly Finding[],
  unchecked: readonly Difference[] = [],
): KindReport {
  const agreeing = findings.filter(finding => finding.found === finding.expected)
  const differing = findings.filter(finding => finding.found !== finding.expected)
  const accepted = agreeing.filter(finding => finding.expected === 'accept').length
  return {
    kind,
    accepted,
    refused: agreeing.length - accepted,
    differences: [...unchecked, ...differing.map(finding => differenceOf(kind, finding))],
  }
}

function differenceOf(kind: string, { name, expected, found, detail }: Finding): Difference {
  const reason = detail === undefined ? '' : ` (${detail})`
  return { kind, name, detail: `expected ${expected}, found ${found}${reason}` }
}

/** The lines of a whole run: a line a kind, each difference by name, the sum last. */
export function linesOf(reports: readonly KindReport[]): string[] {
  const lines = reports.flatMap(report => [
    `${report.kind}: ${report.accepted} passed, ${report.refused} refused as expected, ${report.differences.length} different`,
    ...report.differences.map(({ name, detail }) => `  ${name}: ${detail}`),
  ])
  return [...lines, `${passedIn(reports)} passed, ${failedIn(reports)} failed`]
}

function passedIn(reports: readonly KindReport[]): number {
  return reports.reduce((sum, { accepted, refused }) => sum + accepted + refused, 0)
}

/** How many differences there are in all; a run with any has failed. */
export function failedIn(reports: readonly KindReport[]): number {
  return reports.reduce((sum, { differences }) => sum + differences.length, 0)
}
