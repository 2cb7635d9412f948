import test from 'ava'
import { AppraisalPolicy } from '../../../src/core/appraisal/appraisal-policy.ts'
import { verdictDifference } from '../../../src/core/appraisal/difference.ts'
import { explainVerdict } from '../../../src/core/appraisal/explain.ts'
import { refusedVerdict } from '../../../src/core/appraisal/refused-verdict.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import {
  appraised,
  certified,
  createTpm,
  digestA,
  document,
  now,
  verifiedEvidence,
} from './fixtures.ts'

const wrongBoot = {
  ...document,
  rules: [certified, { kind: 'pcr-values', id: 'boot', values: { 7: [digestA] } } as const],
}

test('an affirmed verdict is told in lines that a person reads', t => {
  const lines = explainVerdict(appraised(verifiedEvidence(createTpm()), document).verdict)
  t.regex(lines[0] ?? '', /^affirming: /)
  t.true(lines.some(line => /^decided by +endorsement$/.test(line)))
  t.true(lines.some(line => /^admitted +yes$/.test(line)))
  t.true(lines.some(line => /ok +\d+ of \d+ passed/.test(line)))
  t.false(lines.some(line => line.includes('FAIL')))
})

test('a refused verdict shows what was expected, what was found and on which rule it stands', t => {
  const { verdict } = appraised(verifiedEvidence(createTpm()), wrongBoot)
  const text = explainVerdict(verdict).join('\n')
  t.regex(text, /FAIL {2}boot: PCR 7 c3c3/)
  t.regex(text, /expected: PCRs 7 as the policy lists them/)
  t.regex(text, /source: {3}RFC 9334 §8\.3/)
})

test('evidence that did not verify shows the check that failed', t => {
  const check = { code: 'quote-nonce', outcome: 'fail', source: 'verification Q2' } as const
  const error = new EvidenceError('quote-nonce', [check])
  const policy = AppraisalPolicy.prepare(document, 1)
  const verdict = refusedVerdict(error, policy, { now, evidenceSha256: 'ee'.repeat(32) })
  t.is(verdict.status, 'contraindicated')
  t.false(verdict.accepted)
  t.deepEqual(verdict.trustworthiness, { 'instance-identity': 99 })
  const text = explainVerdict(verdict).join('\n')
  t.regex(text, /FAIL {2}quote-nonce/)
  t.regex(text, /none: the evidence did not come that far/)
  t.regex(text, /ok {4}0 of 1 passed/)
})

test('a difference names both ends and the lines that make it', t => {
  const evidence = verifiedEvidence(createTpm())
  const good = appraised(evidence, document).verdict
  const bad = appraised(evidence, wrongBoot).verdict
  t.is(verdictDifference(good, good), undefined)
  const worse = verdictDifference(good, bad)
  t.deepEqual(
    [worse?.from.status, worse?.to.status, worse?.rule],
    ['affirming', 'contraindicated', 'boot'],
  )
  t.deepEqual(
    worse?.because.map(line => line.rule),
    ['boot'],
  )
  const better = verdictDifference(bad, good)
  t.true(better?.to.accepted)
  t.deepEqual(
    better?.because.map(line => line.rule),
    ['boot'],
  )
})
