import test from 'ava'
import * as fc from 'fast-check'
import { encodeDocument, style, writeAnswer } from '../../src/cli/output.ts'
import { ProgressLine } from '../../src/cli/progress-line.ts'
import { cellOf, recordOf, recordsOf } from '../../src/cli/records.ts'
import { renderFacts, renderTable, renderTime } from '../../src/cli/table.ts'
import { explainVerdict } from '../../src/core/appraisal/explain.ts'
import { parseVerdict } from '../../src/cli/verdict.ts'

function stream(isTTY: boolean): {
  isTTY: boolean
  text: () => string
  write: (text: string | Uint8Array) => boolean
} {
  let text = ''
  return {
    isTTY,
    text: () => text,
    write: part => {
      text += String(part)
      return true
    },
  }
}

interface Shown {
  readonly name: string
  readonly what: string
}

// oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
const controls = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/

test('columns are as wide as their widest cell, titles above, nothing cut', t => {
  const rows = [
    { name: 'a', what: 'short' },
    { name: 'a much longer name', what: '' },
    { name: 'ö', what: 'x' },
  ]
  const columns = [
    { title: 'name', cell: (row: Shown) => row.name },
    { title: 'what', cell: (row: Shown) => row.what },
  ]
  t.deepEqual(renderTable(rows, columns, 'none'), [
    'NAME                WHAT',
    'a                   short',
    'a much longer name  -',
    'ö                   x',
  ])
  t.deepEqual(renderTable([], columns, 'none'), ['none'])
})

test('facts are aligned, and what is not known has no line', t => {
  const lines = renderFacts([
    ['id', '1'],
    ['revoked', undefined],
    ['longer name', 'x'],
  ])
  t.deepEqual(lines, ['id:           1', 'longer name:  x'])
})

test('a time is shown in UTC to the second; what is no time is shown as nothing', t => {
  t.is(renderTime(Date.UTC(2026, 0, 2, 3, 4, 5, 678)), '2026-01-02 03:04:05Z')
  for (const value of [null, undefined, '5', Number.NaN, Infinity, 8.65e15])
    t.is(renderTime(value), '')
})

test('no cell and no document reaches the terminal with control characters', t => {
  const column = [{ title: 'x', cell: (row: string) => row }]
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      const shown = [
        ...renderTable([text], column, ''),
        ...renderFacts([['x', text]]),
        encodeDocument(text),
      ]
      return shown.every(line => !controls.test(line) && !line.includes('\n'))
    }),
  )
  t.pass()
})

test('a document says what it was given, whatever had to be escaped in it', t => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const text = JSON.stringify(value)
      return JSON.stringify(JSON.parse(encodeDocument(value))) === JSON.stringify(JSON.parse(text))
    }),
  )
  t.pass()
})

test('an answer is lines or the one document, on stdout alone', t => {
  const answer = { json: { a: 1 }, lines: ['one', 'two'] }
  for (const [isJson, expected] of [
    [false, 'one\ntwo\n'],
    [true, '{\n  "a": 1\n}\n'],
  ] as const) {
    const [stdout, stderr] = [stream(false), stream(false)]
    writeAnswer({ stdout, stderr }, answer, isJson)
    t.is(stdout.text(), expected)
    t.is(stderr.text(), '')
  }
})

test('colour is for terminals', t => {
  t.is(style(stream(false), 'red', 'x'), 'x')
})

test('progress is silent where nobody looks, and within the first second', async t => {
  const away = stream(false)
  const quiet = new ProgressLine(away, false)
  quiet.step('working')
  const quick = stream(true)
  const line = new ProgressLine(quick, false)
  line.step('working')
  line.clear()
  await new Promise(resolve => setTimeout(resolve, 1_200))
  quiet.clear()
  t.is(away.text(), '')
  t.is(quick.text(), '')
})

test('after a second a terminal sees what is done now, and it is gone before the answer', async t => {
  const terminal = stream(true)
  const line = new ProgressLine(terminal, false)
  line.step('first')
  line.step('second')
  await new Promise(resolve => setTimeout(resolve, 1_200))
  t.is(terminal.text(), '\r\u001B[Ksecond …')
  line.step('third\u001B[2J')
  t.true(terminal.text().endsWith('\r\u001B[Kthird\uFFFD[2J …'))
  line.clear()
  t.true(terminal.text().endsWith('\r\u001B[K'))
})

test('verbose says each step on a line of its own, at once and everywhere', t => {
  const away = stream(false)
  const line = new ProgressLine(away, true)
  line.step('first')
  line.step('second')
  line.clear()
  t.is(away.text(), 'first\nsecond\n')
})

test('records of an answer are objects in a list under a name', t => {
  t.deepEqual(recordsOf({ hosts: [{ id: '1' }] }, 'hosts'), [{ id: '1' }])
  for (const answer of [
    null,
    [],
    {},
    { hosts: {} },
    { hosts: [1] },
    { hosts: [null] },
    { hosts: [[]] },
  ])
    t.throws(() => recordsOf(answer, 'hosts'), { code: 'answer-malformed' }, JSON.stringify(answer))
  for (const value of [null, [], 1, 'x'])
    t.throws(() => recordOf(value), { code: 'answer-malformed' })
})

test('a cell shows texts, numbers and lists, and of anything else nothing', t => {
  const record = { a: 'x', b: 5, c: ['x', 'y'], d: null, e: {}, f: true }
  t.deepEqual(
    ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(name => cellOf(record, name)),
    ['x', '5', 'x y', '', '', 'true', ''],
  )
})

const verdict = {
  status: 'affirming',
  accepted: true,
  rule: 'assurance',
  assurance: 'emulated',
  policy: { id: 'sha256:00', version: 1 },
  evidenceSha256: '00',
  issuedAt: '2026-01-01T00:00:00Z',
  expiresAt: '2026-01-02T00:00:00Z',
  trustworthiness: {},
  checks: [{ code: 'ek-chain', outcome: 'pass', source: 'x' }],
  rules: [{ rule: 'assurance', outcome: 'affirming', source: 'x', found: '\u001B[2Jx' }],
  platform: null,
}

test('a verdict is explained without what its evidence could do to a terminal', t => {
  t.is(parseVerdict(verdict).rules[0]?.found, '\uFFFD[2Jx')
})

const boot = {
  secureBoot: true,
  databases: [{ name: 'db', entries: 1 }],
  authorities: { first: [{ database: 'db', sha256: 'ab' }], total: 1 },
  firmwareVersion: null,
  images: { first: [{ digest: 'ab', hint: '\u001B[2Jx' }], total: 1 },
  files: { first: [], total: 0 },
  sections: { first: [], total: 0 },
  commandLines: { first: ['quiet'], total: 1 },
  hasExitedBootServices: true,
  provenPcrs: [0, 7],
  unexplainedPcrs: [],
  quirks: [],
}
const ima = { proven: 1, unproven: 0, refused: 0, violations: 0, bootAggregate: 'verified' }

test('what a verdict tells of a boot is explained in the same way', t => {
  const lines = explainVerdict(
    parseVerdict({ ...verdict, platform: { ...platform }, boot, ima }),
  ).join('\n')
  t.regex(lines, /started ab \(said to be \uFFFD\[2Jx\)/)
  t.regex(lines, /command line “quiet”/)
  t.regex(lines, /IMA +1 entries of this boot/)
})

const platform = {
  vendor: null,
  firmwareVersion: '1.2',
  resetCount: 1,
  restartCount: 0,
  clock: '5',
  safe: true,
  reboots: 0,
}

for (const [what, change] of [
  ['a boot that is none', { boot: 'on' }],
  ['a boot without images', { boot: { ...boot, images: undefined } }],
  [
    'a boot with lines that are no list',
    { boot: { ...boot, commandLines: { first: 5, total: 1 } } },
  ],
  ['a list of IMA without numbers', { ima: { ...ima, proven: 'many' } }],
  ['an unknown status', { status: 'excellent' }],
  ['an unknown outcome of a rule', { rules: [{ rule: 'a', outcome: 'fine', source: 'x' }] }],
  ['no policy', { policy: undefined }],
  ['no list of checks', { checks: 'all' }],
  ['a check without a code', { checks: [{}] }],
] as const) {
  test(`a verdict with ${what} is refused`, t => {
    t.throws(() => parseVerdict({ ...verdict, ...change }), { code: 'answer-malformed' })
  })
}

test('what a service put into an answer stays in its line, and controls no terminal', t => {
  for (const name of ['\u001B]0;x\u0007', '\u009B2J', 'a\nThe log holds', '\u202Etxt', 'a\rb']) {
    const stdout = stream(true)
    const lines = [`The operator ${name} is revoked.`, JSON.stringify({ name })]
    writeAnswer({ stdout, stderr: stream(true) }, { json: null, lines }, false)
    t.notRegex(stdout.text(), controls)
    t.is(stdout.text().split('\n').length, lines.length + 1)
  }
})

test('an answer without controls is written as it is', t => {
  const stdout = stream(true)
  writeAnswer(
    { stdout, stderr: stream(true) },
    { json: null, lines: ['ö 漢字 😀', '', '…'] },
    false,
  )
  t.is(stdout.text(), 'ö 漢字 😀\n\n…\n')
})
