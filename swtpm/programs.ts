import { spawn } from 'node:child_process'
import { EmulatorError } from './emulator-error.ts'
import type { EmulatorErrorCode } from './emulator-error.ts'

/** How a program is run. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** The code to fail with when there is no such program. */
  readonly missing?: EmulatorErrorCode
}

/**
 * Runs a program to its end and gives what it wrote to standard output.
 *
 * @throws {EmulatorError} emulator-program-missing (or `options.missing`), emulator-failed
 */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  let output = ''
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  const status = await new Promise<string>((resolve, reject) => {
    child.on('error', error => reject(missing(program, error, options.missing)))
    child.on('close', (code, signal) => resolve(signal ?? String(code)))
  })
  if (status === '0') return output
  throw new EmulatorError('emulator-failed', {
    expected: `${program} ends with 0`,
    found: `${status}: ${complaint}${output}`,
  })
}

/** The error for a program that could not be started. */
export function missing(
  program: string,
  cause: Error,
  code: EmulatorErrorCode = 'emulator-program-missing',
): EmulatorError {
  return new EmulatorError(code, {
    expected: `the program ${program}`,
    found: cause.message,
    cause,
  })
}
