import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { root, type Command } from './stage.ts'

/** Where V8 leaves what ran, of every process and thread of the tests. */
export const coverageDirectory: string = join(root, 'coverage/raw')

/** What a part of the source must reach, in percent. */
export interface Threshold {
  readonly folder: string
  readonly lines: number
  readonly branches: number
  readonly functions: number
}

/**
 * The core is pure, so every line and branch of it can be reached by a test. A branch that cannot stands behind a
 * `c8 ignore` with its reason beside it.
 */
export const coreThreshold: Threshold = {
  folder: 'src/core',
  lines: 100,
  branches: 100,
  functions: 100,
}

/** Everything else meets disks, sockets and hardware that fail in ways a test cannot always bring about. */
export const overallThreshold: Threshold = { folder: 'src', lines: 90, branches: 85, functions: 85 }

/** The command that reports what ran of a folder, untouched files included, and fails below the threshold. */
export function coverageCommand(threshold: Threshold): Command {
  const { folder, lines, branches, functions } = threshold
  return {
    command: 'c8',
    arguments: [
      'report',
      '--temp-directory',
      coverageDirectory,
      '--reports-dir',
      join(root, 'coverage'),
      '--reporter',
      'text',
      '--skip-full',
      '--all',
      '--src',
      folder,
      '--include',
      `${folder}/**`,
      ...typeOnlyFiles(folder).flatMap(file => ['--exclude', file]),
      '--check-coverage',
      ...Object.entries({ lines, branches, functions, statements: lines }).flatMap(
        ([name, percent]) => [`--${name}`, String(percent)],
      ),
    ],
    limitSeconds: 120,
  }
}

/** Files of interfaces alone: nothing of them is ever run. */
function typeOnlyFiles(folder: string): string[] {
  return globSync(`${folder}/**/*.ts`, { cwd: root }).filter(file =>
    isTypeOnly(readFileSync(join(root, file), 'utf8')),
  )
}

/** True for a module of which nothing is left once its types are stripped. */
export function isTypeOnly(source: string): boolean {
  const code = stripTypeScriptTypes(source)
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '')
  return /^[\s;]*$/.test(code)
}
