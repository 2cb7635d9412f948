import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { root } from './stage.ts'

/** One file of the repository, path relative to its root. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** What one file names of another. */
export interface Import {
  readonly specifier: string
  /** Path relative to the root for a file of ours; undefined for a package. */
  readonly target: string | undefined
  /** Erased before anything runs. */
  readonly isType: boolean
}

const folders = ['src', 'native', 'swtpm', 'ca', 'test']
const ignored = /(^|\/)(node_modules|build)(\/|$)/

/** Every source file of ours. */
export function loadSources(): Source[] {
  return folders
    .filter(folder => existsSync(join(root, folder)))
    .flatMap(folder => globSync(`${folder}/**/*.{ts,js,cc,h}`, { cwd: root }))
    .filter(path => !ignored.test(path))
    .toSorted()
    .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}

/** Names in the root folder that are neither hidden nor made by a tool. */
export function loadTopLevel(): string[] {
  return readdirSync(root).filter(
    name =>
      !name.startsWith('.') &&
      !['node_modules', 'coverage'].includes(name) &&
      !name.endsWith('.log'),
  )
}

/** The text without comments; string contents stay, since imports are strings. */
export function withoutComments(text: string): string {
  return text.replaceAll(
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|\/\*[\s\S]*?\*\/|(?<![:\\])\/\/[^\n]*/g,
    found => (found.startsWith('/') ? '' : found),
  )
}

/** The code alone: without comments and without what stands in quotation marks. */
export function codeOf(text: string): string {
  return withoutComments(text).replaceAll(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, "''")
}

const statements = [
  /^(?:import|export)\s+(?:type\s+)?[\w*{][^;'"`=(]*?\bfrom\s+'([^']+)'/gms,
  /^import\s+'([^']+)'/gm,
  /\bimport\(\s*'([^']+)'\s*\)/g,
  /\bnew URL\('([^']+\.[tj]s)', import\.meta\.url\)/g,
]

/** What a file imports, types included, and the files that it starts as workers. */
export function importsOf({ path, text }: Source): Import[] {
  const code = withoutComments(text)
  const found = statements.flatMap(pattern => [...code.matchAll(pattern)])
  return found.map(([statement, specifier = '']) => ({
    specifier,
    target: targetOf(path, specifier),
    isType: /^(import|export) type\b/.test(statement),
  }))
}

function targetOf(path: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return normalize(join(dirname(path), specifier))
  // A worker is named by a bare file name.
  return /^[\w-]+\.[tj]s$/.test(specifier) ? join(dirname(path), specifier) : undefined
}
