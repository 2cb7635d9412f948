import test from 'ava'
import { AppraisalPolicy } from '../../../src/core/appraisal/appraisal-policy.ts'
import type { Rule } from '../../../src/core/appraisal/rule-table.ts'
import { ruleTable } from '../../../src/core/appraisal/rule-table.ts'
import { policySchema } from '../../../src/http/policy-schema.ts'
import { certified, digestA, document, withRule } from './fixtures.ts'

const prepare = (rules: readonly Rule[]): AppraisalPolicy =>
  AppraisalPolicy.prepare({ ...document, rules }, 1)

test('the id of a policy is the digest of its one form', t => {
  const one = AppraisalPolicy.prepare(document, 1)
  const reordered = Object.fromEntries(Object.entries(document).reverse()) as typeof document
  t.is(AppraisalPolicy.prepare(reordered, 2).id, one.id)
  t.not(AppraisalPolicy.prepare({ ...document, name: 'other' }, 1).id, one.id)
  t.regex(one.id, /^sha256:[0-9a-f]{64}$/)
  t.deepEqual(JSON.parse(one.text), document)
})

test('refuses a rule of a kind that does not exist', t => {
  const rule = { kind: 'anything-goes', id: 'x' } as unknown as Rule
  t.throws(() => prepare([rule]), { code: 'policy-rule-unknown' })
  t.throws(() => prepare([{ kind: 'toString', id: 'x' } as unknown as Rule]), {
    code: 'policy-rule-unknown',
  })
  t.notThrows(() => prepare([certified]))
})

test('refuses two rules of one id', t => {
  const code = 'policy-rule-duplicate'
  t.throws(() => prepare([certified, { kind: 'evidence-age', id: 'endorsement', maxSeconds: 1 }]), {
    code,
  })
  t.notThrows(() => prepare([certified, { kind: 'evidence-age', id: 'age', maxSeconds: 1 }]))
})

test('refuses the name of a reference value that is not there', t => {
  const rule = (value: string): Rule => ({ kind: 'pcr-values', id: 'p', values: { 7: [value] } })
  t.throws(() => prepare([rule('nobody')]), { code: 'policy-reference-unknown' })
  t.throws(() => prepare([rule('constructor')]), { code: 'policy-reference-unknown' })
  t.notThrows(() => prepare([rule('golden-a')]))
  t.notThrows(() => prepare([rule(digestA)]))
})

test('refuses a rule about a PCR that is not quoted', t => {
  const code = 'policy-pcr-unquoted'
  t.throws(() => prepare([{ kind: 'pcr-values', id: 'p', values: { 9: [digestA] } }]), { code })
  t.throws(() => prepare([{ kind: 'trust-on-first-use', id: 't', pcrs: [7, 9] }]), { code })
  t.notThrows(() => prepare([{ kind: 'trust-on-first-use', id: 't', pcrs: [7] }]))
})

test('a policy is empty without levels or without rules', t => {
  t.false(AppraisalPolicy.prepare(document, 1).isEmpty)
  t.true(prepare([]).isEmpty)
  t.true(AppraisalPolicy.prepare({ ...document, assurance: [] }, 1).isEmpty)
})

const written = {
  name: 'production',
  assurance: ['tpm-discrete'],
  pcrs: { sha256: [7] },
  validitySeconds: 3600,
  referenceValues: { 'uki-2026.10': { digest: digestA } },
  rules: [{ kind: 'pcr-values', values: { 7: ['uki-2026.10'] } }],
}

test('the written form gives a document with everything said', t => {
  const parsed = policySchema.parse(written)
  t.is(parsed.minimumStatus, 'affirming')
  t.deepEqual(parsed.referenceValues, { 'uki-2026.10': { digests: [digestA] } })
  t.is(parsed.rules[0]?.id, 'pcr-values')
  t.notThrows(() => AppraisalPolicy.prepare(parsed, 1))
})

const wrongForms: Readonly<Record<string, object>> = {
  'an unknown member': { ...written, extra: 1 },
  'an unknown member of a rule': { ...written, rules: [{ ...written.rules[0], extra: 1 }] },
  'an unknown kind of rule': { ...written, rules: [{ kind: 'anything-goes' }] },
  'an unknown level': { ...written, assurance: ['gold'] },
  'a digest in capitals': { ...written, referenceValues: { x: { digest: 'A1'.repeat(32) } } },
  'a PCR beyond 23': { ...written, pcrs: { sha256: [24] } },
  'no PCR': { ...written, pcrs: { sha256: [] } },
  'a validity beyond a week': { ...written, validitySeconds: 604_801 },
  'no validity': { ...written, validitySeconds: undefined },
  'no rules member': { ...written, rules: undefined },
}

for (const [name, form] of Object.entries(wrongForms)) {
  test(`the written form is refused with ${name}`, t => {
    t.false(policySchema.safeParse(form).success)
  })
}

test('the schema knows every kind of rule that can be evaluated', t => {
  const kinds = policySchema.shape.rules.element.options.map(form => form.shape.kind.value)
  t.deepEqual(kinds.toSorted(), Object.keys(ruleTable).toSorted())
})

test('a document without levels or rules is written and kept, since it denies everybody', t => {
  t.true(policySchema.safeParse({ ...written, assurance: [], rules: [] }).success)
  t.notThrows(() => AppraisalPolicy.prepare(withRule(certified, { assurance: [] }), 1))
})
