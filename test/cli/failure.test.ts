import { CommanderError } from 'commander'
import test from 'ava'
import { Tpm2Error } from '../../native/error.ts'
import { ClientError } from '../../src/attester/client-error.ts'
import { RemoteError } from '../../src/attester/remote-error.ts'
import { CommandError } from '../../src/cli/command-error.ts'
import { describeFailure, exitCodeOf, failureDocument } from '../../src/cli/failure.ts'
import { UsageError, valueOf, valuesOf, wholeNumber } from '../../src/cli/usage-error.ts'

const refused = new RemoteError(403, {
  code: 'ek-chain',
  title: 'No path to an anchor.',
  hint: 'Admit the manufacturer.',
  source: 'RFC 5280 §6.1',
  found: 'nothing',
  instance: 'urn:assay:request:7',
  checks: [
    { code: 'ek-malformed', outcome: 'pass', source: 'RFC 5280 §4.1' },
    {
      code: 'ek-chain',
      outcome: 'fail',
      source: 'RFC 5280 §6.1',
      expected: 'a path',
      found: 'none',
    },
  ],
})

test('a person reads code, facts, what to try, which rule, and each check that ran', t => {
  t.deepEqual(describeFailure(refused), [
    'ek-chain: No path to an anchor.',
    '  found:    nothing',
    '  try:      Admit the manufacturer.',
    '  source:   RFC 5280 §6.1',
    '  request:  urn:assay:request:7',
    '  checks:',
    '    passed  ek-malformed  (RFC 5280 §4.1)',
    '    FAILED  ek-chain  (RFC 5280 §6.1)',
    '            expected a path, found none',
  ])
})

test('a machine reads the same as a document', t => {
  t.like(failureDocument(refused), {
    error: {
      code: 'ek-chain',
      status: 403,
      checks: [{ code: 'ek-malformed' }, { code: 'ek-chain', outcome: 'fail' }],
    },
  })
  t.like(failureDocument(new ClientError('key-absent')), { error: { code: 'key-absent' } })
  t.like(failureDocument(new CommanderError(1, 'commander.x', 'no')), { error: { code: 'usage' } })
  t.like(failureDocument(new Error('x')), { error: { code: 'internal-error', message: 'x' } })
  t.like(failureDocument('x'), { error: { code: 'internal-error', message: 'x' } })
})

test('of genuine evidence that the policy did not accept, a person reads which rule decided', t => {
  const attestationResult = {
    status: 'contraindicated',
    accepted: false,
    rule: 'assurance',
    assurance: 'emulated',
    policy: { id: 'sha256:00', version: 1 },
    evidenceSha256: '00',
    issuedAt: '2026-01-01T00:00:00Z',
    expiresAt: '2026-01-02T00:00:00Z',
    checks: [],
    rules: [
      { rule: 'assurance', outcome: 'contraindicated', source: 'VT1', expected: 'tpm-discrete' },
    ],
    platform: null,
  }
  const document = {
    code: 'attestation-contraindicated',
    title: 'No.',
    hint: 'x',
    attestationResult,
  }
  const error = new RemoteError(403, document)
  const lines = describeFailure(error)
  t.true(lines.includes('    decided by  assurance'), lines.join('\n'))
  t.true(lines.some(line => line.endsWith('expected: tpm-discrete')))
  t.like(failureDocument(error), { error: { attestationResult: { rule: 'assurance' } } })
  const broken = new RemoteError(403, { ...document, attestationResult: { status: 5 } })
  t.regex(describeFailure(broken).at(-1) ?? '', /answer-malformed/)
})

test('the TPM stack’s errors have their code and hint', t => {
  const error = new Tpm2Error({ rc: 0x921, command: 'Sign', text: 'lockout' })
  const [first = '', ...rest] = describeFailure(error)
  t.true(first.startsWith(`${error.code}: `))
  t.true(rest.some(line => line.includes(error.hint)))
  t.like(failureDocument(error), { error: { code: error.code } })
})

test('what has no code is a bug of ours, and says so', t => {
  t.regex(describeFailure(new Error('boom\u001B[2J'))[0] ?? '', /^internal-error: boom\uFFFD/)
  t.regex(describeFailure('boom').join('\n'), /should not happen/)
})

test('exit codes: 0 for help, 1 for refusals and failures, 2 for wrong usage', t => {
  t.is(exitCodeOf(new CommanderError(0, 'commander.helpDisplayed', '')), 0)
  t.is(exitCodeOf(new CommanderError(1, 'commander.unknownOption', '')), 2)
  t.is(exitCodeOf(new UsageError('usage-missing')), 2)
  t.is(exitCodeOf(refused), 1)
  t.is(exitCodeOf(new CommandError('agent-unclear')), 1)
  t.is(exitCodeOf(new Error('x')), 1)
})

test('a value that is refused with a code is wrong usage to commander', t => {
  const parse = valueOf(wholeNumber(1, 10))
  t.is(parse('10'), 10)
  for (const text of ['0', '11', '', '1.5', '0x1', '-1', ' 1', '1e1'])
    t.throws(() => parse(text), { code: 'commander.invalidArgument' }, text)
  const bug = valueOf(() => {
    throw new TypeError('bug')
  })
  t.throws(() => bug('x'), { instanceOf: TypeError })
})

test('a value that may come again is collected in order', t => {
  const parse = valuesOf((text: string) => text)
  t.deepEqual(parse('b', parse('a', undefined)), ['a', 'b'])
})

test('of a denial a person reads how to explain it, and which request lifts it, in either form', t => {
  const facts = { code: 'authorization-requestable', decision: 'd1', hint: 'Ask.' }
  for (const grant of [{ grantRequest: 'g1\u009b' }, { grant_request: 'g1\u009b' }]) {
    const error = new RemoteError(403, { ...facts, ...grant })
    t.deepEqual(describeFailure(error).slice(-2), ['  decision: d1', '  grant:    g1\uFFFD'])
    t.like(failureDocument(error), { error: { decision: 'd1', grant: 'g1\uFFFD' } })
  }
  const plain = new RemoteError(403, { ...facts, decision: 7 })
  t.false(describeFailure(plain).some(line => /decision|grant/.test(line)))
})
