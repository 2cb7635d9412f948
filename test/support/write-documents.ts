import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkTable } from '../../src/core/verifier/check-table.ts'
import { endpoints } from '../../src/http/app.ts'
import { auditTypes } from '../../src/services/audit-entry.ts'
import { checkDocument, findTests } from './check-document.ts'
import { auditList, endpointTable, fillSection } from './readme-tables.ts'

/** `node test/support/write-documents.ts` writes anew what documents repeat of the code. */
const root = join(import.meta.dirname, '..', '..')
const readme = join(root, 'README.md')
const text = fillSection(readFileSync(readme, 'utf8'), 'endpoints', endpointTable(endpoints))
writeFileSync(readme, fillSection(text, 'audit', auditList(auditTypes)))
const tests = findTests(root, Object.keys(checkTable))
writeFileSync(join(root, 'src/core/verifier/CHECKS.md'), checkDocument(tests))
