import { printable } from '../attester/remote-error.ts'

/** One column of a table: its title and how a row's cell is written. */
export interface Column<Row> {
  readonly title: string
  readonly cell: (row: Row) => string
}

/**
 * Rows in aligned columns under their titles, for people. Nothing is cut; no cell can reach the terminal with control
 * characters.
 */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  nothing: string,
): string[] {
  if (rows.length === 0) return [nothing]
  const cells = [
    columns.map(({ title }) => title.toUpperCase()),
    ...rows.map(row => columns.map(({ cell }) => printable(cell(row)) || '-')),
  ]
  const widths = columns.map((_, at) => Math.max(...cells.map(line => widthOf(line[at] ?? ''))))
  return cells.map(line =>
    line
      .map((cell, at) => pad(cell, widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** Facts under their names, aligned: `name:  value`. */
export function renderFacts(facts: readonly (readonly [string, string | undefined])[]): string[] {
  const known = facts.filter((fact): fact is readonly [string, string] => fact[1] !== undefined)
  const width = Math.max(0, ...known.map(([name]) => name.length + 1))
  return known.map(([name, value]) => `${pad(`${name}:`, width)}  ${printable(value)}`)
}

/** Code points, which is what a terminal gives one cell each of, wide scripts aside. */
function widthOf(text: string): number {
  return Array.from(text).length
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

/** Unix milliseconds as a person reads them, in UTC. */
export function renderTime(ms: unknown): string {
  if (typeof ms !== 'number' || !Number.isFinite(ms) || Math.abs(ms) > 8.64e15) return ''
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`
}
