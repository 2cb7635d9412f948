import test from 'ava'
import { readFileSync } from 'node:fs'
import { mappingDocument } from '../../../src/core/appraisal/mapping-document.ts'

const path = new URL('../../../src/core/appraisal/MAPPING.md', import.meta.url)

test('the published mapping is the one that the appraisal uses; node test/support/write-mapping.ts renews it', t => {
  t.is(readFileSync(path, 'utf8'), mappingDocument())
})
