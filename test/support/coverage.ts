import { globSync, readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join, relative } from 'node:path'
import { exemptionOf } from './coverage-exemptions.ts'
import { gapsOf, type FileCoverage } from './coverage-gaps.ts'
import { root, type Command } from './stage.ts'

/** Where V8 leaves what ran, of every process and thread of the tests. */
export const coverageDirectory: string = join(root, 'coverage/raw')

/** What the source must reach, in percent. */
interface Threshold {
  readonly lines: number
  readonly branches: number
  readonly functions: number
}

/** Everything else meets disks, sockets and hardware that fail in ways a test cannot always bring about. */
const threshold: Threshold = { lines: 90, branches: 85, functions: 85 }

/** The report of what ran of a folder, files that nothing touched included. */
function report(folder: string, ...more: readonly string[]): string[] {
  return [
    'report',
    '--temp-directory',
    coverageDirectory,
    '--reports-dir',
    join(root, 'coverage'),
    '--all',
    '--src',
    folder,
    '--include',
    `${folder}/**`,
    ...typeOnlyFiles(folder).flatMap(file => ['--exclude', file]),
    ...more,
  ]
}

/** Shows what ran of all source, and fails below the threshold. */
export function overallCoverage(): Command {
  const limits = Object.entries({ ...threshold, statements: threshold.lines })
  return {
    command: 'c8',
    arguments: report(
      'src',
      '--reporter',
      'text',
      '--skip-full',
      '--check-coverage',
      ...limits.flatMap(([name, percent]) => [`--${name}`, String(percent)]),
    ),
    limitSeconds: 600,
  }
}

/** Writes what ran of the core where {@link coreGaps} reads it. */
export function coreCoverage(): Command {
  return { command: 'c8', arguments: report('src/core', '--reporter', 'json'), limitSeconds: 600 }
}

/** What no test reaches in the core and nothing explains, one line each, after {@link coreCoverage}. */
export function coreGaps(): string[] {
  const text = readFileSync(join(root, 'coverage/coverage-final.json'), 'utf8')
  return Object.entries(JSON.parse(text) as Record<string, FileCoverage>).flatMap(([path, file]) =>
    gapsOf(file, readFileSync(path, 'utf8'))
      .filter(gap => exemptionOf(relative(root, path), gap) === undefined)
      .map(gap => `${relative(root, path)}:${gap}`),
  )
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
