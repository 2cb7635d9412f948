import { codeOf, importsOf, withoutComments, type Source } from './source-tree.ts'

/** Names in the root folder, hidden ones aside. */
const topLevel = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'src',
  'native',
  'ca',
  'test',
  'swtpm',
  'README.md',
  'LICENSE',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
]

/** Folders of `src`, and the files beside them that wire. */
const sourceFolders = [
  'core',
  'ports',
  'services',
  'storage',
  'hsm',
  'http',
  'attester',
  'cli',
  'outbound',
  'resource',
]
const wiring = [
  'main.ts',
  'config.ts',
  'config-endorsements.ts',
  'random.ts',
  'tls-server.ts',
  'bundle-endpoint.ts',
  'federation.ts',
  'shipped-tables.ts',
  'service-signers.ts',
  'keys-config.ts',
  'log-key.ts',
  'data-directory.ts',
  'authority-files.ts',
  'private-files.ts',
  'key-files.ts',
  'key-passphrase.ts',
  'key-encryption.ts',
  'local-store.ts',
  'policy-recovery.ts',
  'token-key-places.ts',
]

export const longestFile = 330

/** Names in the root folder that do not belong there. */
export function unknownTopLevel(names: readonly string[]): string[] {
  return names.filter(name => !topLevel.includes(name))
}

/** Files of `src` outside its folders. */
export function unknownInSource(sources: readonly Source[]): string[] {
  return pathsOf(sources).filter(path => {
    const [top, first = '', ...rest] = path.split('/')
    if (top !== 'src') return false
    return rest.length === 0 ? !wiring.includes(first) : !sourceFolders.includes(first)
  })
}

/** Source files longer than one idea should be. */
export function longFiles(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => /^(src|native|swtpm)\//.test(path))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > longestFile)
    .map(({ path, lines }) => `${path} has ${lines} lines`)
}

/** Files with a default export; only a tool's configuration has one. */
export function defaultExports(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => !path.endsWith('.config.js'))
    .filter(({ text }) => /^export default\b|^export \{[^}]*\bas default\b/m.test(codeOf(text)))
    .map(({ path }) => path)
}

/** Files of `src` that only pass on what others export. */
export function barrels(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => path.startsWith('src/'))
    .filter(({ path, text }) => path.endsWith('/index.ts') || isBarrel(text))
    .map(({ path }) => path)
}

function isBarrel(text: string): boolean {
  const code = withoutComments(text).trim()
  const passedOn = /export\s+(?:type\s+)?(?:\*|\{)[^}'"]*\}?\s*(?:as \w+\s+)?from\s+'[^']+'/g
  return code.length > 0 && passedOn.test(code) && code.replaceAll(passedOn, '').trim() === ''
}

/** Paths that name a drawer instead of an idea, or are not in the house's spelling. */
export function badNames(sources: readonly Source[]): string[] {
  return pathsOf(sources).filter(path => {
    const [name = '', ...folders] = path.split('/').toReversed()
    const parts = [...folders, name.replace(/\..*$/, '')]
    if (parts.some(part => drawers.test(part))) return true
    if (!folders.every(part => /^[a-z0-9]+$/.test(part))) return true
    return name.endsWith('.ts') && !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.ts$/.test(name)
  })
}

const drawers = /^(.*-)?(helpers?|utils?|common|misc|managers?)$/

/** Files of `src` and `native` that read the environment; one file may. */
export function environmentReads(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => /^(src|native)\//.test(path) && path !== 'src/config.ts')
    .filter(({ text }) => readsEnvironment(text))
    .map(({ path }) => path)
}

function readsEnvironment(text: string): boolean {
  return (
    /\bprocess\s*\??\.\s*(env|loadEnvFile)\b|\bprocess\[|\benv\b[^=\n]*\} = process\b/.test(
      codeOf(text),
    ) ||
    /^import[^'";]*\b(env|loadEnvFile)\b[^'";]*from '(node:)?process'/m.test(withoutComments(text))
  )
}

const ambient = [
  /\bDate\.now\b/,
  /\bnew Date\(\s*\)/,
  /\bDate\(\s*\)/,
  /\bperformance\b/,
  /\bMath\.random\b/,
  /\bgetRandomValues\b/,
  /\brandom(Bytes|UUID|Int|Fill|FillSync)\b/,
  /\bgenerate(Key|KeySync|KeyPair|KeyPairSync|Keys|Prime|PrimeSync)\b/,
  /\bset(Timeout|Interval|Immediate)\b/,
  /\bconsole\b/,
  /\bprocess\b/,
  /\bfetch\(/,
  /\bwebcrypto\b/,
  /\bglobalThis\b/,
]

/** Where the core reaches for clock, randomness, timers, the process or the network. */
export function ambientReads(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => path.startsWith('src/core/'))
    .flatMap(({ path, text }) => {
      const code = codeOf(text)
      return ambient.flatMap(rule => {
        const found = rule.exec(code)
        return found === null ? [] : [`${path} uses ${found[0]}`]
      })
    })
}

/** Imports computed at run time: no rule here could see where they lead. */
export function computedImports(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => path.startsWith('src/'))
    .filter(({ text }) => /\bimport\((?!\s*'')/.test(codeOf(text)))
    .map(({ path }) => path)
}

/** Imports of files that do not exist, which a type check would also find; keeps the other rules honest. */
export function danglingImports(sources: readonly Source[]): string[] {
  const known = new Set(pathsOf(sources))
  return sources.flatMap(source =>
    importsOf(source)
      .filter(({ target }) => target !== undefined && /\.[tj]s$/.test(target) && !known.has(target))
      .map(({ specifier }) => `${source.path} imports ${specifier}`),
  )
}

function pathsOf(sources: readonly Source[]): string[] {
  return sources.map(({ path }) => path)
}
