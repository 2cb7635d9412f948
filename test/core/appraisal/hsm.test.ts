import test from 'ava'
import { AppraisalPolicy } from '../../../src/core/appraisal/appraisal-policy.ts'
import { appraiseHsm } from '../../../src/core/appraisal/appraise-hsm.ts'
import type { AttestationContext } from '../../../src/core/appraisal/attestation-context.ts'
import { explainVerdict } from '../../../src/core/appraisal/explain.ts'
import type { PolicyDocument } from '../../../src/core/appraisal/policy.ts'
import { reappraise } from '../../../src/core/appraisal/reappraise.ts'
import { appraiseRule, notJudged, type Rule } from '../../../src/core/appraisal/rule-table.ts'
import { encodeEnvelope } from '../../../src/core/formats/envelope.ts'
import { hsmFormats } from '../../../src/core/formats/format-table.ts'
import {
  context,
  declaredEvidence,
  expectations,
  inspectedEvidence,
  now,
  verified,
  yubiHsmEvidence,
} from '../formats/hsm-fixtures.ts'
import { certified, document, subject, withRule } from './fixtures.ts'
import { goodAttributes } from '../../../swtpm/emulated/hsm-attributes.ts'

const levels = ['hsm-attested', 'hsm-inspected', 'hsm-declared'] as const
const attested = verified('hsm-attested', yubiHsmEvidence())
const inspected = verified('hsm-inspected', inspectedEvidence())

const known = {
  now: new Date(now),
  evidenceSha256: '00'.repeat(32),
  challengedAt: new Date(now - 5_000),
  isEmulationAllowed: false,
}

function appraised(
  key: typeof attested,
  policy: PolicyDocument,
  changes: Partial<typeof known> = {},
): ReturnType<typeof appraiseHsm> {
  return appraiseHsm(key, AppraisalPolicy.prepare(policy, 1), { ...known, ...changes })
}

function outcome(rule: Rule, key = attested): { outcome?: string; found?: string } {
  const { rules } = appraised(key, withRule(rule, { assurance: levels })).verdict
  return rules.find(line => line.rule === rule.id) ?? {}
}

test('an HSM is admitted by a policy that names its level and has a rule about it', t => {
  const result = appraised(attested, { ...document, assurance: levels })
  t.true(result.isAccepted)
  t.is(result.assurance, 'hsm-attested')
  t.is(result.nextState, null)
  t.is(result.rollback, undefined)
  t.deepEqual(result.verdict.trustworthiness, { 'instance-identity': 2, hardware: 2 })
  t.is(result.verdict.platform, null)
  t.deepEqual(result.verdict.hsm, {
    vendor: 'yubihsm2',
    manufacturer: 'Yubico (www.yubico.com)',
    model: 'YubiHSM',
    firmware: '2.4.0',
    properties: { domains: '1', 'object-id': '258' },
  })
  t.false(JSON.stringify(result).includes('7550054'))
})

test('a level that the policy does not name is not admitted', t => {
  const result = appraised(attested, { ...document, assurance: ['tpm-discrete', 'hsm-declared'] })
  t.false(result.isAccepted)
  t.is(result.rule, 'assurance')
})

test('software is admitted where policy and configuration both say emulated', t => {
  const token = { manufacturer: 'SoftHSM project', model: 'SoftHSM v2', serial: '1' }
  const soft = verified('hsm-inspected', inspectedEvidence({ token }, { token }))
  const age: Rule = { kind: 'evidence-age', id: 'age', maxSeconds: 60 }
  const of = (assurance: PolicyDocument['assurance'], isEmulationAllowed: boolean): boolean =>
    appraised(soft, withRule(age, { assurance }), { isEmulationAllowed }).isAccepted
  t.false(of(levels, true))
  t.false(of(['emulated'], false))
  t.true(of(['emulated'], true))
})

test('rules about a TPM are not judged of an HSM, and a policy of such rules alone denies', t => {
  const boot: Rule = { kind: 'secure-boot', id: 'secure-boot' }
  const silent = appraised(attested, withRule(boot, { assurance: levels }))
  t.false(silent.isAccepted)
  t.is(silent.rule, 'policy-silent')
  const both = appraised(attested, { ...document, assurance: levels, rules: [boot, certified] })
  t.true(both.isAccepted)
  const line = both.verdict.rules.find(({ rule }) => rule === 'secure-boot')
  t.is(line?.outcome, 'none')
  t.regex(line?.found ?? '', /^not judged/)
  t.is(appraised(attested, { ...document, assurance: [] }).rule, 'policy-empty')
})

test('on whose word the key is one of an HSM is for the policy to say', t => {
  const accept = (...kinds: ('certificate' | 'inspected' | 'registered')[]): Rule => ({
    kind: 'endorsement',
    id: 'word',
    accept: kinds,
  })
  t.is(outcome(accept('certificate')).outcome, 'affirming')
  t.is(outcome(accept('certificate'), inspected).outcome, 'contraindicated')
  t.is(outcome(accept('inspected'), inspected).outcome, 'affirming')
  const declared = verified('hsm-declared', declaredEvidence())
  t.is(outcome(accept('inspected'), declared).outcome, 'contraindicated')
  t.is(outcome(accept('registered'), declared).outcome, 'affirming')
})

test('firmware below the minimum of its maker is refused', t => {
  const rule = (vendors: Record<string, string>, others: 'accept' | 'refuse' = 'refuse'): Rule => ({
    kind: 'hsm-firmware-minimum',
    id: 'firmware',
    vendors,
    others,
  })
  t.is(outcome(rule({ yubihsm2: '2.4.0' })).outcome, 'affirming')
  t.is(outcome(rule({ yubihsm2: '2.4.1' })).outcome, 'contraindicated')
  t.is(outcome(rule({})).outcome, 'contraindicated')
  t.is(outcome(rule({}, 'accept')).outcome, 'affirming')
})

test('a token that is not in the inventory is refused, and no verdict shows a serial number', t => {
  const rule = (serials: Record<string, string[]>): Rule => ({
    kind: 'hsm-inventory',
    id: 'inventory',
    serials,
  })
  t.is(outcome(rule({ yubihsm2: ['7550054'] })).outcome, 'affirming')
  t.is(outcome(rule({ yubihsm2: ['7550055'] })).outcome, 'contraindicated')
  t.is(outcome(rule({ 'yubikey-piv': ['7550054'] })).outcome, 'contraindicated')
})

test('a property of the key has one of the values that the rule names, or the rule does not hold', t => {
  const rule = (accept: Extract<Rule, { kind: 'hsm-key' }>['accept']): Rule => ({
    kind: 'hsm-key',
    id: 'key',
    accept,
  })
  const fixed = rule({ modifiable: ['false'], copyable: ['false'] })
  t.is(outcome(fixed, inspected).outcome, 'affirming')
  t.like(outcome(fixed, attested), {
    outcome: 'contraindicated',
    found: 'modifiable not shown, copyable not shown',
  })
  t.is(outcome(rule({ domains: ['1', '1 2'] })).outcome, 'affirming')
  const attributes = { ...goodAttributes, CKA_MODIFIABLE: true }
  const open = verified('hsm-inspected', inspectedEvidence({ attributes }))
  t.like(outcome(fixed, open), { outcome: 'contraindicated', found: 'modifiable true' })
})

test('a rule about HSMs says nothing of a TPM', t => {
  const rule: Rule = { kind: 'hsm-inventory', id: 'inventory', serials: {} }
  t.is(appraiseRule(rule, subject), notJudged)
})

test('a verdict about an HSM is explained with its firmware and properties', t => {
  const lines = explainVerdict(appraised(attested, { ...document, assurance: levels }).verdict)
  t.true(lines.includes('HSM         Yubico (www.yubico.com), YubiHSM, firmware 2.4.0'))
  t.true(lines.includes('            domains 1, object-id 258'))
})

test('an HSM that shows nothing more is explained as that', t => {
  const { verdict } = appraised(inspected, { ...document, assurance: levels })
  const hsm = {
    ...verdict.hsm,
    vendor: '',
    manufacturer: 'M',
    model: 'B',
    firmware: '1.0',
    properties: {},
  }
  const lines = explainVerdict({ ...verdict, hsm })
  t.true(lines.includes('HSM         M, B, firmware 1.0'))
  t.true(lines.includes('            nothing more is shown of the key'))
})

test('kept Evidence of an HSM is verified and appraised again, from its bytes', t => {
  const evidence = encodeEnvelope(hsmFormats['hsm-declared'], declaredEvidence())
  const kept: AttestationContext = {
    audience: context.audience,
    enrollmentId: context.contextId,
    name: 'vault-1',
    nonce: Buffer.from(context.nonce).toString('base64url'),
    secret: '',
    pcrs: [],
    challengedAt: now - 5_000,
    endorsementKind: 'registered',
    before: null,
  }
  const rule: Rule = { kind: 'endorsement', id: 'word', accept: ['registered'] }
  const policy = AppraisalPolicy.prepare(withRule(rule, { assurance: levels }), 2)
  const against = { ...expectations, advisories: [], isEmulationAllowed: false }
  const again = (changes: Partial<AttestationContext> = {}): boolean =>
    reappraise(
      { format: 'hsm-declared', evidence, context: { ...kept, ...changes } },
      policy,
      against,
    ).isAccepted
  t.true(again())
  t.throws(() => again({ nonce: '' }), { code: 'hsm-proof' })
  t.throws(() => again({ endorsementKind: null }), { code: 'attestation-not-kept' })
  const format = 'sgx'
  t.throws(() => reappraise({ format, evidence, context: kept }, policy, against), {
    code: 'evidence-format-unknown',
  })
})
