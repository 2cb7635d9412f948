import { copyFile, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './programs.ts'

/** One rule of a double: how calls of a function are answered. */
export interface DoubleRule {
  /** `C_Sign`, or `*` for every function. */
  readonly call: string
  /** Calls that are forwarded first, counted in each process; none where absent. */
  readonly after?: number
  /** Calls that the rule is about; all that follow where absent. */
  readonly times?: number
  /** A return value (PKCS #11 v2.40 §3.7), a delay in milliseconds before the call is forwarded, or no answer at all. */
  readonly answer: { readonly code: number } | { readonly delayMs: number } | 'hang'
}

/** A PKCS#11 module that forwards to another one and fails on demand. */
export interface Pkcs11Double {
  /** The module to load. */
  readonly modulePath: string
  /** Sets the rules, the first that fits a call counts; they hold from the next call on, in every process. */
  control(...rules: readonly DoubleRule[]): Promise<void>
  /** Another one of the same module, with rules and calls of its own, in another directory. */
  copyTo(dir: string): Promise<Pkcs11Double>
  /** Names of the functions that were called, oldest first, by all processes. */
  calls(): Promise<string[]>
}

/**
 * Builds a double in a directory of the caller's.
 *
 * @param modulePath the module that it forwards to
 * @throws {EmulatorError} emulator-program-missing where there is no C compiler, emulator-failed
 */
export async function createPkcs11Double(dir: string, modulePath: string): Promise<Pkcs11Double> {
  const source = fileURLToPath(new URL('pkcs11-double.c', import.meta.url))
  const library = join(dir, 'pkcs11-double.so')
  const flags = ['-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-pthread']
  await run('gcc', [...flags, '-o', library, source, '-ldl'])
  return await createControl(library, modulePath)
}

async function createControl(library: string, modulePath: string): Promise<Pkcs11Double> {
  await writeFile(`${library}.module`, modulePath)
  const double: Pkcs11Double = {
    modulePath: library,
    control: async (...rules) => {
      // In one step: no call reads half of it.
      await writeFile(`${library}.control.new`, rules.map(encodeRule).join(''))
      await rename(`${library}.control.new`, `${library}.control`)
    },
    copyTo: async dir => {
      const copy = join(dir, 'pkcs11-double.so')
      await copyFile(library, copy)
      return await createControl(copy, modulePath)
    },
    calls: async () => (await readFile(`${library}.calls`, 'utf8')).trim().split('\n'),
  }
  await double.control()
  await writeFile(`${library}.calls`, '')
  return double
}

function encodeRule({ call, after = 0, times = 0, answer }: DoubleRule): string {
  return `${call} ${after} ${times} ${encodeAnswer(answer)}\n`
}

function encodeAnswer(answer: DoubleRule['answer']): string {
  if (answer === 'hang') return 'hang 0'
  return 'code' in answer ? `return ${answer.code}` : `delay ${answer.delayMs}`
}
