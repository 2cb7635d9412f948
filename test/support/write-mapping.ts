import { writeFileSync } from 'node:fs'
import { mappingDocument } from '../../src/core/appraisal/mapping-document.ts'

writeFileSync(new URL('../../src/core/appraisal/MAPPING.md', import.meta.url), mappingDocument())
