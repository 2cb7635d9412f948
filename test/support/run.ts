/** `npm test`: every check of this repository in order, each with its time, and one last line with the sum. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { coreCoverage, coreGaps, coverageDirectory, overallCoverage } from './coverage.ts'
import { root, run, type Command, type Outcome } from './stage.ts'
import { emptyTally, isGreen, lastLine, report, type Tally, withStage, withTests } from './tally.ts'
import { parseSums, parseTap } from './tap.ts'

const folders = ['src', 'native', 'swtpm', 'ca', 'test'].filter(folder =>
  existsSync(join(root, folder)),
)

const minutes = 60
const recording = { NODE_V8_COVERAGE: coverageDirectory }

/** A check passes or fails as a whole. */
function check(command: string, ...args: readonly string[]): Command {
  return { command, arguments: args, limitSeconds: 6 * minutes }
}

/** A suite of ava's: each of its tests counts. */
function suite(limitMinutes: number, ...args: readonly string[]): Command {
  const options = ['--tap', ...args]
  return {
    command: 'ava',
    arguments: options,
    environment: recording,
    limitSeconds: limitMinutes * minutes,
  }
}

async function runCheck(tally: Tally, name: string, command: Command): Promise<Tally> {
  announce(name)
  const outcome = await run(command)
  conclude(outcome, outcome.ok ? 'passed' : 'FAILED')
  return withStage(tally, name, outcome)
}

async function runSuite(tally: Tally, name: string, command: Command): Promise<Tally> {
  announce(name)
  const outcome = await run(command, output => {
    const { passed, failures } = parseTap(output)
    process.stdout.write(`\n  … ${passed} passed, ${failures.length} failed so far`)
  })
  const summary = parseTap(outcome.output)
  conclude(outcome, `${summary.passed} passed, ${summary.failures.length} failed`)
  return withTests(tally, name, outcome, summary)
}

/** Everything in the core is reached by a test; what is not is listed. */
async function checkCore(tally: Tally): Promise<Tally> {
  const name = 'coverage of src/core'
  announce(name)
  const written = await run(coreCoverage())
  const gaps = written.ok ? coreGaps() : [written.output]
  const outcome = { ...written, ok: gaps.length === 0, output: gaps.join('\n') }
  conclude(outcome, outcome.ok ? 'complete' : `FAILED, ${gaps.length} gaps`)
  return withStage(tally, name, outcome)
}

async function runVectors(tally: Tally): Promise<Tally> {
  const runner = 'test/vectors/run.ts'
  if (!existsSync(join(root, '../shared/vectors')) || !existsSync(join(root, runner))) {
    process.stdout.write('vectors: not beside this clone, nothing to run\n')
    return tally
  }
  announce('vectors')
  const outcome = await run({
    command: process.execPath,
    arguments: ['--disable-warning=ExperimentalWarning', runner],
    limitSeconds: 10 * minutes,
  })
  const summary = parseSums(outcome.output)
  conclude(outcome, `${summary.passed} passed, ${summary.failures.length} failed`)
  return withTests(tally, 'vectors', outcome, summary)
}

function announce(name: string): void {
  process.stdout.write(`${name} …`)
}

function conclude({ seconds }: Outcome, word: string): void {
  process.stdout.write(` ${word} (${seconds.toFixed(1)} s)\n`)
}

async function main(): Promise<void> {
  rmSync(coverageDirectory, { recursive: true, force: true })
  mkdirSync(coverageDirectory, { recursive: true })
  let tally = emptyTally
  tally = await runCheck(tally, 'types', check('tsc'))
  tally = await runCheck(tally, 'lint', check('oxlint', '--type-aware', ...folders))
  tally = await runCheck(tally, 'format', check('prettier', '--check', '--log-level', 'warn', '.'))
  tally = await runSuite(tally, 'unit tests', suite(20))
  tally = await checkCore(tally)
  const integration = suite(25, '--config', 'test/integration/ava.config.js')
  tally = await runSuite(tally, 'integration tests', integration)
  tally = await runCheck(tally, 'coverage of src', overallCoverage())
  tally = await runVectors(tally)
  process.stdout.write(`${[...report(tally), lastLine(tally)].join('\n')}\n`)
  process.exitCode = isGreen(tally) ? 0 : 1
}

await main()
