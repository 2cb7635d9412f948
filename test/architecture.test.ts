import test from 'ava'
import {
  ambientReads,
  badNames,
  barrels,
  computedImports,
  danglingImports,
  defaultExports,
  environmentReads,
  longestFile,
  longFiles,
  unknownInSource,
  unknownTopLevel,
} from './support/house-rules.ts'
import { importCycles, wrongImports } from './support/import-table.ts'
import { importsOf, loadSources, loadTopLevel, type Source } from './support/source-tree.ts'

// This file quotes imports that are none.
const sources = loadSources().filter(({ path }) => path !== 'test/architecture.test.ts')

function file(path: string, text = 'export const x = 1\n'): Source {
  return { path, text }
}

test('the rules see the tree, and every import of ours leads to a file', t => {
  t.true(sources.length > 100)
  t.true(sources.flatMap(importsOf).length > 300)
  t.deepEqual(danglingImports(sources), [])
  t.deepEqual(danglingImports([file('src/core/a.ts', "import { x } from './gone.ts'\n")]), [
    'src/core/a.ts imports ./gone.ts',
  ])
})

test('an import is seen in each of its forms, and not in a comment', t => {
  const text = `import { a } from './a.ts'
import type {
  B,
} from '../b/b.ts'
import * as c from 'node:crypto'
import 'reflect-metadata'
export { d } from './d.ts'
export * from './e.ts'
// import { n } from './not-1.ts'
/** import { n } from './not-2.ts' */
const f = await import('./f.ts')
const url = 'https://example.test'; const worker = new Worker(new URL('g.ts', import.meta.url))
`
  const found = importsOf(file('src/core/x/y.ts', text)).map(row => row.target ?? row.specifier)
  const expected = ['a', 'd', 'e', 'f', 'g'].map(name => `src/core/x/${name}.ts`)
  t.deepEqual(
    found.toSorted(),
    [...expected, 'src/core/b/b.ts', 'node:crypto', 'reflect-metadata'].toSorted(),
  )
})

test('the root folder holds what the layout names and nothing else', t => {
  t.deepEqual(unknownTopLevel(['src', 'lib', 'README.md', 'notes.txt']), ['lib', 'notes.txt'])
  t.deepEqual(unknownTopLevel(loadTopLevel()), [])
})

test('src holds the folders of the layout, and beside them only what wires', t => {
  const made = ['src/core/a.ts', 'src/main.ts', 'src/lib/a.ts', 'src/server.ts', 'test/lib/a.ts']
  t.deepEqual(unknownInSource(made.map(path => file(path))), ['src/lib/a.ts', 'src/server.ts'])
  t.deepEqual(unknownInSource(sources), [])
})

const forbidden: readonly (readonly [string, string])[] = [
  ['src/core/a.ts', '../ports/clock.ts'],
  ['src/core/a.ts', 'node:fs'],
  ['src/core/a.ts', 'koa'],
  ['src/ports/a.ts', '../services/a.ts'],
  ['src/ports/a.ts', 'node:crypto'],
  ['src/services/a.ts', '../storage/a.ts'],
  ['src/services/a.ts', '../http/a.ts'],
  ['src/services/a.ts', 'zod'],
  ['src/storage/a.ts', '../services/a.ts'],
  ['src/storage/a.ts', 'koa'],
  ['src/hsm/a.ts', '../attester/a.ts'],
  ['src/outbound/a.ts', '../services/a.ts'],
  ['src/outbound/a.ts', 'koa'],
  ['src/services/a.ts', '../outbound/a.ts'],
  ['src/http/a.ts', '../outbound/a.ts'],
  ['src/http/a.ts', '../ports/store.ts'],
  ['src/http/a.ts', '../storage/a.ts'],
  ['src/http/a.ts', '../hsm/a.ts'],
  ['src/http/a.ts', 'kysely'],
  ['src/attester/a.ts', '../services/a.ts'],
  ['src/attester/a.ts', 'pkcs11js'],
  ['src/cli/a.ts', '../../test/support/a.ts'],
  ['src/main.ts', './cli/a.ts'],
  ['native/a.ts', '../src/services/a.ts'],
  ['swtpm/a.ts', '../src/storage/a.ts'],
  ['lib/a.ts', './b.ts'],
]

for (const [path, specifier] of forbidden) {
  test(`refuses that ${path.replace(/\/a\.ts$/, '')} imports ${specifier}`, t => {
    t.is(wrongImports([file(path, `import { x } from '${specifier}'\n`)]).length, 1)
    t.is(wrongImports([file(path, `import type { X } from '${specifier}'\n`)]).length, 1)
  })
}

test('every import of this tree is in the table', t => {
  const allowed = [
    file('src/core/a.ts', "import { createHash } from 'node:crypto'\n"),
    file('src/services/a.ts', "import type { Clock } from '../ports/clock.ts'\n"),
    file('src/main.ts', "import { x } from './hsm/a.ts'\n"),
    file('src/cli/a.ts', "import { x } from '../hsm/a.ts'\n"),
  ]
  t.deepEqual(wrongImports(allowed), [])
  t.deepEqual(wrongImports(sources), [])
})

test('no imports go in a circle', t => {
  const circle = [
    file('src/core/a.ts', "import { b } from './b.ts'\n"),
    file('src/core/b.ts', "import { c } from './c.ts'\n"),
    file('src/core/c.ts', "import { a } from './a.ts'\n"),
    file('src/core/d.ts', "import { b } from './b.ts'\n"),
  ]
  t.deepEqual(importCycles(circle), [
    'src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts',
  ])
  t.deepEqual(importCycles(circle.slice(0, 2)), [])
  const typeOnly = file('src/core/c.ts', "import type { A } from './a.ts'\n")
  t.deepEqual(importCycles([...circle.slice(0, 2), typeOnly]), [])
  t.deepEqual(importCycles(sources), [])
})

test('no source file is longer than one idea', t => {
  const text = 'x\n'.repeat(longestFile + 1)
  const made = [file('src/a.ts', text), file('native/src/a.cc', text), file('test/a.ts', text)]
  t.deepEqual(longFiles(made), [
    `src/a.ts has ${longestFile + 1} lines`,
    `native/src/a.cc has ${longestFile + 1} lines`,
  ])
  t.deepEqual(longFiles([file('src/a.ts', 'x\n'.repeat(longestFile))]), [])
  t.deepEqual(longFiles(sources), [])
})

test('nothing is exported as default but the configuration of a tool', t => {
  const made = [
    file('src/a.ts', 'export default 1\n'),
    file('src/b.ts', 'const x = 1\nexport { x as default }\n'),
    file('src/c.ts', '// export default\nexport const x = 1\n'),
    file('test/ava.config.js', 'export default {}\n'),
  ]
  t.deepEqual(defaultExports(made), ['src/a.ts', 'src/b.ts'])
  t.deepEqual(defaultExports(sources), [])
})

test('src has no file that only passes on others', t => {
  const made = [
    file('src/core/index.ts'),
    file('src/core/all.ts', "/** All. */\nexport * from './a.ts'\nexport { b } from './b.ts'\n"),
    file('src/core/types.ts', "export type { A } from './a.ts'\n"),
    file('src/core/own.ts', "export { b } from './b.ts'\nexport const c = 1\n"),
  ]
  t.deepEqual(barrels(made), ['src/core/index.ts', 'src/core/all.ts', 'src/core/types.ts'])
  t.deepEqual(barrels(sources), [])
})

test('files and folders are named for an idea, in one spelling', t => {
  const bad = [
    'src/core/helpers/a.ts',
    'src/core/utils.ts',
    'src/core/tpm-utils.ts',
    'src/core/common.ts',
    'src/core/misc/a.ts',
    'src/core/key-manager.ts',
    'src/core/camelCase.ts',
    'src/core/two-words/a.ts',
    'test/core/helper.test.ts',
  ]
  t.deepEqual(badNames([...bad, 'src/core/common-name.ts'].map(path => file(path))), bad)
  t.deepEqual(badNames(sources), [])
})

test('the environment is read in one file', t => {
  const made = [
    file('src/core/a.ts', "const x = process.env['HOME']\n"),
    file('src/cli/b.ts', "import { env } from 'node:process'\n"),
    file('src/cli/c.ts', 'const { env } = process\nconst x = process["env"]\n'),
    file('src/cli/d.ts', '// process.env is read elsewhere\nconst hint = "set process.env"\n'),
    file('src/config.ts', 'process.env\n'),
  ]
  t.deepEqual(environmentReads(made), ['src/core/a.ts', 'src/cli/b.ts', 'src/cli/c.ts'])
  t.deepEqual(environmentReads(sources), [])
})

test('the core asks nobody for time, chance, or anything else around it', t => {
  const uses = [
    'Date.now()',
    'new Date()',
    'performance.now()',
    'Math.random()',
    'crypto.getRandomValues(x)',
    'randomBytes(16)',
    'randomUUID()',
    "generateKeyPairSync('ec')",
    'ecdh.generateKeys()',
    'setTimeout(f, 1)',
    'console.log(1)',
    'process.exit()',
    'fetch(url)',
  ]
  for (const use of uses) {
    t.not(ambientReads([file('src/core/a.ts', `const x = ${use}\n`)]).length, 0, use)
    t.deepEqual(ambientReads([file('src/main.ts', `const x = ${use}\n`)]), [], use)
  }
  t.deepEqual(ambientReads([file('src/core/a.ts', 'const x = new Date(now)\n// Date.now()\n')]), [])
  t.deepEqual(ambientReads(sources), [])
})

test('no import of src is computed at run time', t => {
  t.deepEqual(computedImports([file('src/a.ts', 'await import(name)\n')]), ['src/a.ts'])
  t.deepEqual(computedImports([file('src/a.ts', "await import('./b.ts')\n")]), [])
  t.deepEqual(computedImports(sources), [])
})
