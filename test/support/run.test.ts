import test from 'ava'
import { gapsOf } from './coverage-gaps.ts'
import { isTypeOnly } from './coverage.ts'
import { run } from './stage.ts'
import { emptyTally, isGreen, lastLine, report, withStage, withTests } from './tally.ts'
import { parseSums, parseTap } from './tap.ts'

const stream = `TAP version 13
ok 1 - file › passes
ok 2 - file › is # 1 of the list
ok 3 - file › skipped # SKIP
not ok 4 - file › todo # TODO
not ok 5 - file › fails
  ---
    name: AssertionError
    message: numbers differ

  ...
not ok 6 - test/x.test.ts exited with a non-zero exit code: 1
# tests 6
`

test('counts passed, skipped and todo, and keeps what was said of failed ones', t => {
  const { passed, skipped, failures } = parseTap(stream)
  t.deepEqual([passed, skipped], [2, 2])
  t.deepEqual(
    failures.map(({ name }) => name),
    ['file › fails', 'test/x.test.ts exited with a non-zero exit code: 1'],
  )
  t.deepEqual(failures[0]?.lines, ['    name: AssertionError', '    message: numbers differ'])
  t.deepEqual(failures[1]?.lines, [])
})

test('the last line is the sum, with skipped tests only where there are some', t => {
  t.is(lastLine(emptyTally), '0 passed, 0 failed')
  const outcome = { ok: false, output: stream, seconds: 1 }
  const tally = withTests(emptyTally, 'unit', outcome, parseTap(stream))
  t.is(lastLine(tally), '2 passed, 2 failed, 2 skipped')
  t.false(isGreen(tally))
  t.deepEqual(report(tally).slice(0, 2), ['', 'FAILED unit: file › fails'])
})

test('a check that fails counts as one failure and shows its output; one that passes counts nothing', t => {
  const failed = withStage(emptyTally, 'types', { ok: false, output: 'a.ts(1,1): no', seconds: 1 })
  t.is(lastLine(failed), '0 passed, 1 failed')
  t.deepEqual(report(failed), ['', 'FAILED types', 'a.ts(1,1): no'])
  t.true(isGreen(withStage(emptyTally, 'types', { ok: true, output: '', seconds: 1 })))
})

test('a suite without a test, or one that ends badly without a failed test, has failed', t => {
  for (const [ok, output] of [
    [true, 'TAP version 13\n'],
    [false, 'ok 1 - fine\n'],
    [false, 'the configuration is wrong'],
  ] as const) {
    const tally = withTests(emptyTally, 'unit', { ok, output, seconds: 1 }, parseTap(output))
    t.is(tally.failures.length, 1, output)
  }
})

test('a command is run to its end, and its failure is seen', async t => {
  const command = process.execPath
  const good = await run({ command, arguments: ['-p', '6 * 7'], limitSeconds: 20 })
  t.deepEqual([good.ok, good.output], [true, '42\n'])
  const bad = await run({ command, arguments: ['-e', 'process.exit(3)'], limitSeconds: 20 })
  t.false(bad.ok)
  t.false((await run({ command: 'no-such-command', arguments: [], limitSeconds: 20 })).ok)
})

test('a command that hangs is ended after its time', async t => {
  const script = 'console.log("begun"); setInterval(() => {}, 1000)'
  const outcome = await run({
    command: process.execPath,
    arguments: ['-e', script],
    limitSeconds: 0.5,
  })
  t.false(outcome.ok)
  t.true(outcome.output.includes('ended after 0.5 s'))
  t.true(outcome.seconds < 15)
})

test('the sum of a runner of ours is its last line, and its failures are named', t => {
  const summary = parseSums('kind: 1 passed, 1 different\n  a.bin: no\n3 passed, 1 failed\n')
  t.deepEqual(summary, { passed: 3, skipped: 0, failures: [{ name: 'a.bin: no', lines: [] }] })
  t.deepEqual(parseSums('it broke'), { passed: 0, skipped: 0, failures: [] })
})

test('a gap is a line that never ran or a branch never taken, but for empty defaults', t => {
  const source = 'const a = list[0] ?? 0\nconst b = option ?? 16\nif (a) {\n  run()\n}\n'
  const at = (line: number, from: number, to: number) => ({
    start: { line, column: from },
    end: { line, column: to },
  })
  const file = {
    statementMap: { 0: at(1, 0, 22), 1: at(2, 0, 22), 2: at(3, 0, 8), 3: at(4, 0, 7) },
    s: { 0: 1, 1: 1, 2: 1, 3: 0 },
    branchMap: { 0: { locations: [at(1, 18, 22)] }, 1: { locations: [at(2, 17, 22)] } },
    b: { 0: [0], 1: [0] },
  }
  t.deepEqual(gapsOf(file, source), ['4: never run', '2: never taken: ?? 16'])
  t.deepEqual(gapsOf({ ...file, s: { 0: 1 }, b: { 0: [0], 1: [1] } }, source), [])
})

test('a module of types alone is told from one with code', t => {
  t.true(isTypeOnly("/** x */\nimport type { A } from './a.ts'\nexport interface B extends A {}\n"))
  t.false(isTypeOnly('export interface B {}\nexport const b = 1\n'))
})
