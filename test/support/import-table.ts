import { importsOf, type Source } from './source-tree.ts'

/** One line of the layout table: what the files of a folder may import. */
export interface Layer {
  /** Folder, or a pattern of files beside the folders of `src`. */
  readonly files: RegExp
  /** Folders of ours besides the layer itself. */
  readonly ours: readonly string[]
  readonly packages: readonly RegExp[]
}

const everything = ['src', 'native', 'swtpm', 'ca']
const builtIns = /^node:/

/** The layout table (README, "Layout"), most particular line first. */
export const layers: readonly Layer[] = [
  {
    files: /^src\/core\//,
    ours: [],
    packages: [
      // Compression is a function of its bytes.
      /^node:(crypto|zlib)$/,
      /^@peculiar\/(x509|asn1-)/,
      /^reflect-metadata$/,
      /^cborg(\/|$)/,
      /^@cedar-policy\//,
    ],
  },
  { files: /^src\/ports\//, ours: ['src/core'], packages: [] },
  // Hashes and key objects are the runtime's own values, no library.
  { files: /^src\/services\//, ours: ['src/core', 'src/ports'], packages: [/^node:crypto$/] },
  {
    files: /^src\/storage\//,
    ours: ['src/core', 'src/ports'],
    packages: [builtIns, /^kysely(\/|$)/, /^pg$/],
  },
  {
    files: /^src\/hsm\//,
    ours: ['src/core', 'src/ports'],
    packages: [builtIns, /^pkcs11js$/, /^@peculiar\/webcrypto$/],
  },
  { files: /^src\/resource\//, ours: ['src/core'], packages: [builtIns] },
  { files: /^src\/outbound\//, ours: ['src/core', 'src/ports'], packages: [builtIns] },
  {
    files: /^src\/http\//,
    ours: ['src/core', 'src/services'],
    packages: [builtIns, /^@?koa(\/|$)/, /^jose$/, /^prom-client$/, /^zod$/],
  },
  { files: /^src\/attester\//, ours: ['src/core', 'native'], packages: [builtIns] },
  { files: /^src\/cli\//, ours: everything, packages: [/./] },
  { files: /^src\/[\w-]+\.ts$/, ours: ['src'], packages: [/./] },
  { files: /^native\//, ours: ['src/core'], packages: [builtIns] },
  {
    files: /^swtpm\//,
    ours: ['src/core', 'native'],
    packages: [builtIns, /^@peculiar\//, /^reflect-metadata$/, /^pkcs11js$/],
  },
  { files: /^ca\//, ours: ['src/core', 'src/hsm'], packages: [builtIns, /^@peculiar\//] },
  { files: /^test\//, ours: [...everything, 'test'], packages: [/./] },
]

/** Whom nobody but themselves and those named may import. */
const closed: Readonly<Record<string, readonly RegExp[]>> = {
  'src/cli': [/^test\//],
  'src/outbound': [/^src\/[\w-]+\.ts$/, /^test\//],
  'src/hsm': [/^src\/cli\//, /^src\/[\w-]+\.ts$/, /^ca\//, /^test\//],
}

/** Imports that the table does not know, one line each. */
export function wrongImports(sources: readonly Source[]): string[] {
  return sources.flatMap(source => {
    const layer = layers.find(row => row.files.test(source.path))
    if (layer === undefined) return [`${source.path} belongs to no folder of the layout`]
    return importsOf(source)
      .filter(({ specifier, target }) =>
        target === undefined
          ? !layer.packages.some(row => row.test(specifier))
          : !mayImport(layer, source.path, target),
      )
      .map(({ specifier }) => `${source.path} imports ${specifier}`)
  })
}

function mayImport(layer: Layer, path: string, target: string): boolean {
  if (layer.files.test(target)) return true
  const gate = Object.entries(closed).find(([folder]) => target.startsWith(`${folder}/`))
  if (gate !== undefined && !gate[1].some(row => row.test(path))) return false
  return layer.ours.some(folder => target.startsWith(`${folder}/`))
}

/** Circles of imports that run: each once, as the files on it. Imports of types alone are erased before that. */
export function importCycles(sources: readonly Source[]): string[] {
  const edges = new Map(
    sources.map(source => [
      source.path,
      importsOf(source).flatMap(({ target, isType }) => (isType ? [] : (target ?? []))),
    ]),
  )
  const done = new Set<string>()
  const cycles = new Set<string>()
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) cycles.add(canonicalCycle(trail.slice(start)))
    if (start >= 0 || done.has(path)) return
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return [...cycles]
}

function canonicalCycle(files: readonly string[]): string {
  const first = files.toSorted()[0] ?? ''
  const start = files.indexOf(first)
  return [...files.slice(start), ...files.slice(0, start), first].join(' → ')
}
