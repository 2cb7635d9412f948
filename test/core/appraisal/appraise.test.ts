import test from 'ava'
import { AttestationResult } from '../../../src/core/appraisal/attestation-result.ts'
import { tierOf } from '../../../src/core/appraisal/ar4si.ts'
import { isAtLeast, worstStatus } from '../../../src/core/appraisal/status.ts'
import {
  appraised,
  certified,
  createTpm,
  digestA,
  digestB,
  digestC,
  document,
  now,
  stateOf,
  verifiedEvidence,
  withRule,
} from './fixtures.ts'

test('genuine evidence that every rule affirms is accepted for as long as the policy says', t => {
  const result = appraised(verifiedEvidence(createTpm()), document)
  t.is(result.status, 'affirming')
  t.true(result.isAccepted)
  t.is(result.rule, 'endorsement')
  t.is(result.assurance, 'emulated')
  t.is(result.expiresAt.getTime(), now.getTime() + 3_600_000)
  t.true(result.verdict.checks.every(check => check.outcome === 'pass'))
  t.deepEqual(
    result.verdict.rules.map(line => line.rule),
    ['assurance', 'endorsement'],
  )
  t.is(result.rollback, undefined)
})

test('every rule runs, and the first of the worst decides', t => {
  const rules = [
    { kind: 'pcr-values', id: 'first', values: { 7: [digestA] } },
    { kind: 'pcr-values', id: 'second', values: { 4: [digestA] } },
    { kind: 'pcr-values', id: 'third', values: { 0: [digestA] } },
  ] as const
  const result = appraised(verifiedEvidence(createTpm()), { ...document, rules })
  t.is(result.status, 'contraindicated')
  t.false(result.isAccepted)
  t.is(result.rule, 'first')
  t.deepEqual(
    result.verdict.rules.map(line => [line.rule, line.outcome]),
    [
      ['assurance', 'affirming'],
      ['first', 'contraindicated'],
      ['second', 'contraindicated'],
      ['third', 'affirming'],
    ],
  )
})

test('a policy without rules or without levels denies under its own name', t => {
  const evidence = verifiedEvidence(createTpm())
  for (const empty of [
    { ...document, rules: [] },
    { ...document, assurance: [] },
  ]) {
    const result = appraised(evidence, empty)
    t.is(result.status, 'contraindicated')
    t.false(result.isAccepted)
    t.is(result.rule, 'policy-empty')
  }
})

test('a level that the policy does not name is refused', t => {
  const result = appraised(verifiedEvidence(createTpm()), {
    ...document,
    assurance: ['tpm-discrete', 'tpm-declared'],
  })
  t.is(result.rule, 'assurance')
  t.is(result.status, 'contraindicated')
})

test('emulated hardware is refused where the configuration does not say the word, whatever the policy says', t => {
  const evidence = verifiedEvidence(createTpm())
  t.is(appraised(evidence, document, { isEmulationAllowed: false }).rule, 'assurance')
  t.true(appraised(evidence, document, { isEmulationAllowed: true }).isAccepted)
})

test('a warning is accepted where the policy says so, and nowhere else', t => {
  const evidence = verifiedEvidence(createTpm())
  const tofu = withRule({ kind: 'trust-on-first-use', id: 'tofu', pcrs: [7] })
  const strict = appraised(evidence, tofu)
  t.is(strict.status, 'warning')
  t.false(strict.isAccepted)
  t.is(strict.rule, 'tofu')
  const lenient = appraised(evidence, { ...tofu, minimumStatus: 'warning' })
  t.is(lenient.status, 'warning')
  t.true(lenient.isAccepted)
})

test('what is pinned on first use holds at the next, and a later pin never replaces it', t => {
  const made = createTpm()
  const policy = withRule(
    { kind: 'trust-on-first-use', id: 'tofu', pcrs: [4, 7] },
    { minimumStatus: 'warning' },
  )
  const first = appraised(verifiedEvidence(made), policy)
  t.deepEqual(first.nextState.pins, { 'pcr-4': digestB, 'pcr-7': digestC })
  made.tpm.pcrs.set(7, Buffer.from(digestA, 'hex'))
  const second = appraised(verifiedEvidence(made), policy, { before: first.nextState })
  t.is(second.rule, 'tofu')
  t.false(second.isAccepted)
  t.deepEqual(second.nextState.pins, first.nextState.pins)
})

test('a TPM that was set back is told by the rule that saw it', t => {
  const made = createTpm()
  const before = stateOf(made.tpm, { resetCount: made.tpm.clockInfo.resetCount + 1 })
  const result = appraised(verifiedEvidence(made), document, { before })
  t.is(result.rollback, 'state-reset-count')
  t.is(result.rule, 'state-reset-count')
  t.is(result.status, 'contraindicated')
})

test('the state after an attestation is what the next one is compared with', t => {
  const made = createTpm()
  const first = appraised(verifiedEvidence(made), document)
  const evidence = verifiedEvidence(made)
  const second = appraised(evidence, document, { before: first.nextState })
  t.true(second.isAccepted)
  t.is(appraised(evidence, document, { before: second.nextState }).rollback, 'state-clock')
})

test('the status is never better than the worst of the vector', t => {
  const evidence = verifiedEvidence(createTpm())
  for (const rule of [
    certified,
    { kind: 'pcr-values', id: 'p', values: { 7: [digestA] } } as const,
    { kind: 'trust-on-first-use', id: 'p', pcrs: [7] } as const,
  ]) {
    const { status, trustworthiness } = appraised(evidence, withRule(rule)).verdict
    const worst = worstStatus(Object.values(trustworthiness).map(tierOf))
    t.is(worst, status)
  }
})

test('a verdict is JSON as it stands', t => {
  const { verdict } = appraised(verifiedEvidence(createTpm()), document)
  t.deepEqual(JSON.parse(JSON.stringify(verdict)), verdict)
})

test('nobody but the appraisal makes an Attestation Result', t => {
  const result = appraised(verifiedEvidence(createTpm()), document)
  const make = AttestationResult as unknown as new (key: symbol, parts: unknown) => unknown
  t.throws(() => new make(Symbol('attestation result'), { verdict: result.verdict }), {
    instanceOf: TypeError,
  })
})

test('what claims nothing is never good enough', t => {
  t.is(worstStatus([]), 'none')
  t.is(worstStatus(['none', 'affirming']), 'affirming')
  t.is(worstStatus(['affirming', 'contraindicated', 'warning']), 'contraindicated')
  t.false(isAtLeast('none', 'warning'))
  t.false(isAtLeast('warning', 'affirming'))
  t.true(isAtLeast('affirming', 'warning'))
})
