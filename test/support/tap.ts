/** A failed test: its name and what the reporter said about it. */
export interface TapFailure {
  readonly name: string
  readonly lines: readonly string[]
}

/** What a TAP stream says in all. */
export interface TapSummary {
  readonly passed: number
  readonly skipped: number
  readonly failures: readonly TapFailure[]
}

const point = /^(not )?ok \d+ - (.*?)(?: # (SKIP|TODO).*)?$/

/**
 * Counts the test points of a TAP 13 stream and keeps what belongs to the failed ones. A todo counts as skipped; a
 * file that could not be loaded, held no test or ended early is a failed point of its own.
 *
 * @see https://testanything.org/tap-version-13-specification.html
 */
export function parseTap(text: string): TapSummary {
  let passed = 0
  let skipped = 0
  const failures: { name: string; lines: string[] }[] = []
  let open: string[] | undefined
  for (const line of text.split('\n')) {
    const [, not, name = '', directive] = point.exec(line) ?? []
    if (!point.test(line)) {
      if (line.startsWith('  ') || line === '') open?.push(line)
      else open = undefined
      continue
    }
    open = undefined
    if (directive !== undefined) skipped += 1
    else if (not === undefined) passed += 1
    else failures.push({ name, lines: (open = []) })
  }
  return { passed, skipped, failures: failures.map(trimmed) }
}

/** Without the fences of the diagnostic block and the empty lines around it. */
function trimmed({ name, lines }: { name: string; lines: string[] }): TapFailure {
  return {
    name,
    lines: lines.filter(line => line.trim() !== '' && !/^ {2}(---|\.\.\.)$/.test(line)),
  }
}

/**
 * The sum that a runner of ours prints in its last line, `N passed, N failed`, with the lines of the failed ones: those
 * that are indented below the line of their kind.
 */
export function parseSums(text: string): TapSummary {
  const lines = text.trimEnd().split('\n')
  const [, passed = '0', failed = '0'] =
    /^(\d+) passed, (\d+) failed/.exec(lines.at(-1) ?? '') ?? []
  const named = lines.filter(line => /^ {2}\S/.test(line)).map(line => line.trim())
  const failures = Array.from({ length: Number(failed) }, (_, index) => ({
    name: named[index] ?? `number ${index + 1}`,
    lines: [],
  }))
  return { passed: Number(passed), skipped: 0, failures }
}
