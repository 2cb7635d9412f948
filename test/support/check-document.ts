import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkTable } from '../../src/core/verifier/check-table.ts'

/** Which test files name a code: where it is shown to refuse. */
export type TestsOfCode = ReadonlyMap<string, readonly string[]>

/** Looks through the tests below a folder for each code in quotes. */
export function findTests(root: string, codes: readonly string[]): TestsOfCode {
  const folder = join(root, 'test')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.test.ts') && !name.startsWith('documents'))
    .toSorted()
    .map(name => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
  return new Map(
    codes.map(code => [
      code,
      files.filter(({ text }) => text.includes(`'${code}'`)).map(({ name }) => name),
    ]),
  )
}

/** Every check of the verifier as a document: code, rule, source, and the tests that show it refuse. */
export function checkDocument(tests: TestsOfCode): string {
  const rows = Object.entries(checkTable).map(([code, { summary, source }]) => {
    const shown = (tests.get(code) ?? []).map(
      name => `[${name.split('/').at(-1)}](../../../test/${name})`,
    )
    return `| \`${code}\` | ${summary} | ${source} | ${shown.slice(0, 3).join(', ')} |`
  })
  return [
    '# What the verifier checks',
    '',
    'Made from the table that the verifier itself uses (`check-table.ts`); a test compares. Each check that ran is a line of',
    'the verdict with its outcome and the digest of the bytes it looked at, unless that digest would identify the device; the',
    'summary is what a refusal says. “verification” names a row of the project’s checklist of attacks.',
    '',
    '| code | a refusal says | source | shown by |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
