import test from 'ava'
import { isTypeOnly } from './coverage.ts'
import { run } from './stage.ts'
import { emptyTally, isGreen, lastLine, report, withStage, withTests } from './tally.ts'
import { parseTap } from './tap.ts'

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

test('a module of types alone is told from one with code', t => {
  t.true(isTypeOnly("/** x */\nimport type { A } from './a.ts'\nexport interface B extends A {}\n"))
  t.false(isTypeOnly('export interface B {}\nexport const b = 1\n'))
})
