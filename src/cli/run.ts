import { CommanderError } from 'commander'
import type { Environment } from '../config.ts'
import { CommandError } from './command-error.ts'
import { commands } from './commands.ts'
import type { CommandRow } from './command.ts'
import { describeFailure, exitCodeOf, exitCodes, failureDocument } from './failure.ts'
import { encodeDocument, style, writeAnswer, type Streams } from './output.ts'
import { createProgram } from './program.ts'
import { Session } from './session.ts'

/**
 * Runs one command line to its end and gives the exit code. The answer goes to stdout, everything else to stderr; with
 * `--json` a failure is a document as well: `{"error":{"code":…}}`.
 *
 * @param args without the names of runtime and program
 */
export async function runCommandLine(
  args: readonly string[],
  environment: Environment,
  streams: Streams,
): Promise<number> {
  let exitCode: number = exitCodes.done
  const execute = async (
    row: CommandRow,
    values: readonly (string | undefined)[],
    options: object,
  ): Promise<void> => {
    exitCode = await executeRow(row, values, options, environment, streams)
  }
  try {
    await createProgram(commands, streams, execute).parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    reportFailure(error, args, streams)
    return exitCodeOf(error)
  }
}

async function executeRow(
  row: CommandRow,
  args: readonly (string | undefined)[],
  options: object,
  environment: Environment,
  streams: Streams,
): Promise<number> {
  const session = new Session(environment, streams, options)
  try {
    const answer = await row.run({ session, args, options })
    session.progress.clear()
    if (answer !== undefined) writeAnswer(streams, answer, session.isJson)
    return answer?.isFailure === true ? exitCodes.failed : exitCodes.done
  } finally {
    await session.close()
  }
}

function reportFailure(error: unknown, args: readonly string[], streams: Streams): void {
  const isHelp = error instanceof CommanderError && error.exitCode === 0
  if (isHelp) return
  const isJson = args.includes('--json')
  const answer = error instanceof CommandError ? error.answer : undefined
  if (answer !== undefined) writeAnswer(streams, answer, isJson)
  else if (isJson) streams.stdout.write(`${encodeDocument(failureDocument(error))}\n`)
  // What commander refuses, it has said already.
  if (error instanceof CommanderError) return
  const [first = '', ...rest] = describeFailure(error)
  const lines = [style(streams.stderr, 'red', first), ...rest]
  streams.stderr.write(`${lines.join('\n')}\n`)
  if (args.includes('--verbose')) streams.stderr.write(`${stackOf(error)}\n`)
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
