import { createHash } from 'node:crypto'
import test from 'ava'
import { runAtOnce, type Sliced } from '../../../src/core/slices.ts'
import { CheckRecorder } from '../../../src/core/verifier/check.ts'
import { checkTable, type CheckCode } from '../../../src/core/verifier/check-table.ts'
import { identifiesDevice } from '../../../src/core/verifier/device-bytes.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { refusalOf } from './fixtures.ts'

const bytes = Buffer.from('what was looked at')

test('a check says which rule was held against which bytes, and how it came out', t => {
  const checks = new CheckRecorder()
  checks.require(true, 'quote-magic', { bytes })
  checks.pass('quote-type', undefined, 'how it held')
  t.deepEqual(checks.list, [
    {
      code: 'quote-magic',
      outcome: 'pass',
      source: checkTable['quote-magic'].source,
      bytesSha256: createHash('sha256').update(bytes).digest('hex'),
    },
    {
      code: 'quote-type',
      outcome: 'pass',
      source: checkTable['quote-type'].source,
      found: 'how it held',
    },
  ])
})

test('V1 bytes that a device keeps for life are not even digested, whether the check holds or not', t => {
  const codes = (Object.keys(checkTable) as CheckCode[]).filter(identifiesDevice)
  t.true(codes.length > 40)
  for (const code of codes) {
    const checks = new CheckRecorder()
    checks.pass(code, bytes)
    t.throws(() => checks.refuse(code, { bytes }), { instanceOf: EvidenceError })
    t.deepEqual(
      checks.list.map(line => line.bytesSha256),
      [undefined, undefined],
    )
  }
})

/** First words of checks over bytes that are new with each challenge, each key or each boot. */
const ofTheOccasion = [
  'activation',
  'certify',
  'csr',
  'eventlog',
  'ima',
  'quote',
  'statement',
  'subject',
]

test('V1 of every check it is decided whether a digest of its bytes identifies the device', t => {
  for (const code of Object.keys(checkTable) as CheckCode[]) {
    const isOfTheOccasion = ofTheOccasion.includes(code.split('-')[0] ?? '')
    const isOfTheParent = code.startsWith('subject-parent')
    t.is(identifiesDevice(code), isOfTheParent || !isOfTheOccasion, code)
  }
})

test('the first rule that is broken ends it, with all checks so far', t => {
  const checks = new CheckRecorder()
  checks.pass('quote-magic')
  const facts = { expected: 'one', found: 'another', bytes }
  const error = t.throws(() => checks.require(false, 'quote-type', facts), {
    instanceOf: EvidenceError,
  })
  t.like(error, { code: 'quote-type', expected: 'one', found: 'another' })
  t.deepEqual(error.checks, checks.list)
  t.like(error.checks[1], { outcome: 'fail', expected: 'one', found: 'another' })
})

test('what a step throws becomes a refusal, but a refusal and a bug stay what they are', t => {
  const checks = new CheckRecorder()
  const attempt = (cause: unknown) => () => {
    checks.attempt('csr-unreadable', bytes, () => {
      throw cause
    })
  }
  const error = t.throws(attempt(new RangeError('too far')), { instanceOf: EvidenceError })
  t.like(error, { code: 'csr-unreadable', found: 'too far' })
  t.true(error.cause instanceof RangeError)
  t.is(t.throws(attempt('no error'), { instanceOf: EvidenceError }).found, 'unreadable')
  const blind = (): unknown =>
    checks.attempt('csr-unreadable', undefined, () => {
      throw new RangeError('too far')
    })
  t.is(refusalOf(blind), 'csr-unreadable')
  t.throws(attempt(new TypeError('a bug')), { instanceOf: TypeError })
  const inner = new EvidenceError('quote-type', [])
  t.is(t.throws(attempt(inner)), inner)
  t.is(
    checks.attempt('csr-unreadable', undefined, () => 5),
    5,
  )
})

test('a verification inside another shows the checks of the outer one first', t => {
  const outer = new CheckRecorder()
  outer.pass('quote-magic')
  const run = (): unknown =>
    outer.within(() => new CheckRecorder().refuse('csr-unsigned', { expected: 'a', found: 'b' }))
  const error = t.throws(run, { instanceOf: EvidenceError })
  t.deepEqual(
    error.checks.map(({ code }) => code),
    ['quote-magic', 'csr-unsigned'],
  )
  t.like(error, { expected: 'a', found: 'b' })
  const bare = (): unknown => outer.within(() => new CheckRecorder().refuse('csr-unsigned'))
  t.is(refusalOf(bare), 'csr-unsigned')
  t.throws(
    () =>
      outer.within(() => {
        throw new RangeError('a bug')
      }),
    { instanceOf: RangeError },
  )
  t.is(
    outer.within(() => 5),
    5,
  )
})

test('every check has its words and the rule that it stands on', t => {
  for (const [code, { summary, hint, source }] of Object.entries(checkTable)) {
    t.regex(code, /^[a-z0-9]+(-[a-z0-9]+)+$/)
    t.regex(summary, /^[A-Z].*\.$/s, code)
    t.regex(hint, /\.$/, code)
    t.true(source.length > 5, code)
    t.is(new EvidenceError(code as CheckCode, []).message, summary)
  }
})

test('a refusal in sliced work shows what ran before it, and a bug stays what it is', t => {
  const outer = new CheckRecorder()
  outer.pass('quote-nonce')
  const failing = function* (error: () => unknown): Sliced<never> {
    yield
    throw error()
  }
  const refusal = (): unknown => {
    try {
      return new CheckRecorder().refuse('csr-unsigned')
    } catch (error) {
      return error
    }
  }
  const error = t.throws(() => runAtOnce(outer.withinSlices(failing(refusal))), {
    instanceOf: EvidenceError,
  })
  t.deepEqual(
    error?.checks.map(({ code }) => code),
    ['quote-nonce', 'csr-unsigned'],
  )
  const bug = (): unknown => new RangeError('a bug')
  t.throws(() => runAtOnce(outer.withinSlices(failing(bug))), { instanceOf: RangeError })
})
