/** A place in a file: lines from 1, columns from 0. */
interface Place {
  readonly start: { readonly line: number; readonly column: number }
  readonly end: { readonly line: number; readonly column: number }
}

/** One file as Istanbul's JSON reports it. */
export interface FileCoverage {
  readonly statementMap: Readonly<Record<string, Place>>
  readonly s: Readonly<Record<string, number>>
  readonly branchMap: Readonly<Record<string, { readonly locations: readonly Place[] }>>
  readonly b: Readonly<Record<string, readonly number[]>>
}

/**
 * The empty value behind an indexed read that the type checker asks for and no index reaches
 * (`noUncheckedIndexedAccess`). The one kind of branch that may stay untaken; any other that cannot be taken stands
 * behind a `c8 ignore` with its reason beside it.
 */
const emptyDefault = /^\?\? (0|0n|''|\[\]|new Uint8Array\(\))$/

/** Lines that never ran and branches that were never taken, each as `line: what`. */
export function gapsOf(file: FileCoverage, source: string): string[] {
  const lines = source.split('\n')
  const unrun = Object.entries(file.statementMap)
    .filter(([id]) => file.s[id] === 0)
    .map(([, { start }]) => start.line)
  const branches = Object.entries(file.branchMap).flatMap(([id, { locations }]) =>
    locations.filter((_, index) => file.b[id]?.[index] === 0),
  )
  return [
    ...rangesOf(unrun).map(range => `${range}: never run`),
    ...branches
      .filter(({ start }) => !unrun.includes(start.line))
      .map(place => ({ line: place.start.line, text: textOf(lines, place) }))
      .filter(({ text }) => !emptyDefault.test(text))
      .map(({ line, text }) => `${line}: never taken: ${text}`),
  ]
}

/** The first line of what stands at a place. */
function textOf(lines: readonly string[], { start, end }: Place): string {
  const line = lines[start.line - 1] ?? ''
  return (
    end.line > start.line ? line.slice(start.column) : line.slice(start.column, end.column)
  ).trim()
}

/** Neighbouring lines as one range. */
function rangesOf(numbers: readonly number[]): string[] {
  const ranges: { from: number; to: number }[] = []
  for (const line of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last !== undefined && line <= last.to + 1) last.to = line
    else ranges.push({ from: line, to: line })
  }
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`))
}
