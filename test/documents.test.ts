import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { checkTable } from '../src/core/verifier/check-table.ts'
import { commands } from '../src/cli/commands.ts'
import { endpoints } from '../src/http/app.ts'
import { auditTypes } from '../src/services/audit-entry.ts'
import { checkDocument, findTests } from './support/check-document.ts'
import { auditList, endpointTable, fillSection } from './support/readme-tables.ts'

const root = join(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const again = 'run node test/support/write-documents.ts'

test('the README lists every call of the API and every act of the log', t => {
  t.is(fillSection(readme, 'endpoints', endpointTable(endpoints)), readme, again)
  t.is(fillSection(readme, 'audit', auditList(auditTypes)), readme, again)
  t.throws(() => fillSection(readme, 'nothing', ''), { instanceOf: TypeError })
})

test('the README names every command', t => {
  for (const row of commands) {
    const line = readme.split('\n').find(text => text.startsWith(`| \`assay ${row.name}`))
    const [own] = row.name === 'serve' ? [readme.includes('`assay serve`')] : [line !== undefined]
    t.true(own, `assay ${row.name}`)
    if (!('commands' in row)) continue
    for (const { name } of row.commands) t.regex(line ?? '', new RegExp(`\\b${name}\\b`), row.name)
  }
})

test('every check of the verifier is shown to refuse by a test, and stands in the document', t => {
  const tests = findTests(root, Object.keys(checkTable))
  const unshown = [...tests].filter(([, files]) => files.length === 0).map(([code]) => code)
  t.deepEqual(unshown, [])
  const document = readFileSync(join(root, 'src/core/verifier/CHECKS.md'), 'utf8')
  t.is(document, checkDocument(tests), again)
})
