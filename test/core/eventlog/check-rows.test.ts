import test from 'ava'
import { eventLogCheckRows, eventLogFormatRows } from '../../../src/core/eventlog/check-rows.ts'
import { EventLogError, type EventLogErrorCode } from '../../../src/core/eventlog/error.ts'
import { imaCheckRows } from '../../../src/core/ima/check-rows.ts'
import { checkTable } from '../../../src/core/verifier/check-table.ts'
import { eventTypeName } from '../../../src/core/eventlog/event-type.ts'

const sources = Object.values({ ...eventLogCheckRows, ...imaCheckRows }).map(({ source }) => source)

test('each row of the checklist for logs stands behind a check', t => {
  const rows = [
    ...Array.from({ length: 15 }, (_, i) => `L${i + 1}`),
    ...Array.from({ length: 8 }, (_, i) => `I${i + 1}`),
  ]
  for (const row of rows)
    t.true(
      sources.some(source => new RegExp(`verification .*\\b${row}\\b`).test(source)),
      row,
    )
})

test('every check on logs is one of the table, with a sentence, a hint and a source', t => {
  for (const [code, row] of Object.entries({ ...eventLogCheckRows, ...imaCheckRows })) {
    t.is(checkTable[code as keyof typeof checkTable], row as never)
    t.regex(row.summary, /^[A-Z].*\.$/)
    t.regex(row.hint, /\.$/)
    t.truthy(row.source)
  }
})

test('an error of parsing says what its check says', t => {
  for (const [code, row] of Object.entries(eventLogFormatRows)) {
    const error = new EventLogError(code as EventLogErrorCode)
    t.deepEqual([error.message, error.hint, error.source], [row.summary, row.hint, row.source])
  }
})

test('a type has a name, or is shown as its number', t => {
  t.is(eventTypeName(0x8000_00e0), 'EV_EFI_VARIABLE_AUTHORITY')
  t.is(eventTypeName(0x1234), '0x1234')
})
