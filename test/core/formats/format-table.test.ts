import test from 'ava'
import { evidenceFormat, evidenceFormats } from '../../../src/core/formats/format-table.ts'

test('each format stands in the table under its own name, with a media type of its own', t => {
  const rows = Object.entries(evidenceFormats)
  for (const [id, format] of rows) {
    t.is(format.id, id)
    t.regex(format.mediaType, /^application\/vnd\.assay\.[a-z0-9-]+\+json$/)
    t.is(evidenceFormat(id), format)
  }
  t.is(new Set(rows.map(([, { mediaType }]) => mediaType)).size, rows.length)
})

test('a format without a row is refused, whatever it is called', t => {
  for (const id of ['', 'TPM2', 'tpm', 'sev-snp', 'toString', '__proto__', 'x'.repeat(1000)])
    t.throws(() => evidenceFormat(id), { code: 'evidence-format-unknown' }, id)
})
