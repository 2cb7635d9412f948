import test from 'ava'
import { appraiseRule, type Rule } from '../../../src/core/appraisal/rule-table.ts'
import type { AppraisalStatus } from '../../../src/core/appraisal/status.ts'
import type { AppraisalSubject } from '../../../src/core/appraisal/subject.ts'
import { advisory, digestA, digestB, digestC, now, state, subject } from './fixtures.ts'

interface Case {
  readonly name: string
  readonly rule: Rule
  readonly changes?: Partial<AppraisalSubject>
  readonly outcome: AppraisalStatus
  /** What the finding must name. */
  readonly found?: RegExp
}

const pcrs = (values: Record<string, string[]>): Rule => ({
  kind: 'pcr-values',
  id: 'pcr-values',
  values,
})
const minimum = (vendors: Record<string, string>, others: 'accept' | 'refuse'): Rule => ({
  kind: 'tpm-firmware-minimum',
  id: 'minimum',
  vendors,
  others,
})
const advisories = (onMatch: 'refuse' | 'warn', except: string[] = []): Rule => ({
  kind: 'firmware-advisories',
  id: 'advisories',
  onMatch,
  except,
})
const tofu: Rule = { kind: 'trust-on-first-use', id: 'tofu', pcrs: [4, 7] }
const age: Rule = { kind: 'evidence-age', id: 'age', maxSeconds: 30 }
const endorsed = (accept: ('certificate' | 'listed' | 'approved')[]): Rule => ({
  kind: 'endorsement',
  id: 'endorsement',
  accept,
})

const oldFirmware = { ...subject.platform, firmwareVersion: 0x0007_003d_0001_0002n }
const unknownVendor = { ...subject.endorsement, vendor: undefined }
const approved = { ...subject.endorsement, kind: 'approved' as const }
const pins = { 'pcr-4': digestB, 'pcr-7': digestC }

const cases: readonly Case[] = [
  {
    name: 'a PCR with a listed value is affirmed',
    rule: pcrs({ 0: [digestC, digestA] }),
    outcome: 'affirming',
  },
  {
    name: 'a PCR with a value of a named reference is affirmed',
    rule: pcrs({ 0: ['golden-a'], 4: ['both'] }),
    outcome: 'affirming',
  },
  {
    name: 'a PCR with another value is refused by number and value',
    rule: pcrs({ 0: [digestA], 4: ['golden-a'] }),
    outcome: 'contraindicated',
    found: /^PCR 4 b2b2/,
  },
  {
    name: 'a PCR that was not quoted is refused',
    rule: pcrs({ 9: [digestA] }),
    outcome: 'contraindicated',
    found: /PCR 9 not quoted/,
  },
  {
    name: 'a reference that is not there accepts nothing',
    rule: pcrs({ 0: ['nobody'] }),
    outcome: 'contraindicated',
  },
  {
    name: 'an endorsement of an accepted kind is affirmed',
    rule: endorsed(['certificate']),
    outcome: 'affirming',
  },
  {
    name: 'an endorsement of another kind is refused',
    rule: endorsed(['certificate', 'listed']),
    changes: { endorsement: approved },
    outcome: 'contraindicated',
    found: /an operator approved/,
  },
  {
    name: 'an approved endorsement is affirmed where the policy says so',
    rule: endorsed(['approved']),
    changes: { endorsement: approved },
    outcome: 'affirming',
  },
  {
    name: 'firmware of the minimum version is affirmed',
    rule: minimum({ 'id:49465800': '7.85' }, 'refuse'),
    outcome: 'affirming',
  },
  {
    name: 'firmware below the minimum version is refused',
    rule: minimum({ 'id:49465800': '7.85.0.1' }, 'refuse'),
    outcome: 'contraindicated',
    found: /id:49465800 7\.85/,
  },
  {
    name: 'a manufacturer that is not named is refused where others are',
    rule: minimum({ 'id:53544D20': '73.20' }, 'refuse'),
    outcome: 'contraindicated',
  },
  {
    name: 'a manufacturer that is not named is affirmed where others are accepted',
    rule: minimum({ 'id:53544D20': '73.20' }, 'accept'),
    outcome: 'affirming',
  },
  {
    name: 'a TPM without certified manufacturer counts among the others',
    rule: minimum({ 'id:49465800': '1.0' }, 'refuse'),
    changes: { endorsement: unknownVendor },
    outcome: 'contraindicated',
    found: /no manufacturer/,
  },
  {
    name: 'firmware without advisory is affirmed',
    rule: advisories('refuse'),
    changes: { advisories: [advisory] },
    outcome: 'affirming',
  },
  {
    name: 'firmware with an advisory is refused by its number and reference',
    rule: advisories('refuse'),
    changes: { advisories: [advisory], platform: oldFirmware },
    outcome: 'contraindicated',
    found: /CVE-0000-1 \(https:\/\/example\.org\/advisory\)/,
  },
  {
    name: 'firmware with an advisory is warned of where the policy says so',
    rule: advisories('warn'),
    changes: { advisories: [advisory], platform: oldFirmware },
    outcome: 'warning',
  },
  {
    name: 'an advisory that the policy takes upon itself does not count',
    rule: advisories('refuse', ['CVE-0000-1']),
    changes: { advisories: [advisory], platform: oldFirmware },
    outcome: 'affirming',
  },
  {
    name: 'an advisory of another vendor does not count',
    rule: advisories('refuse'),
    changes: { advisories: [{ ...advisory, vendor: 'id:53544D20' }], platform: oldFirmware },
    outcome: 'affirming',
  },
  { name: 'evidence of the greatest age is affirmed', rule: age, outcome: 'affirming' },
  {
    name: 'evidence that is older is refused',
    rule: age,
    changes: { now: new Date(now.getTime() + 1) },
    outcome: 'contraindicated',
    found: /31 s/,
  },
  {
    name: 'evidence from the future is refused',
    rule: age,
    changes: { now: new Date(now.getTime() - 60_000) },
    outcome: 'contraindicated',
  },
  {
    name: 'a first use is pinned with a warning',
    rule: tofu,
    outcome: 'warning',
    found: /first use/,
  },
  {
    name: 'what was pinned is accepted with a warning, never affirmed',
    rule: tofu,
    changes: { before: { ...state, pins } },
    outcome: 'warning',
    found: /as pinned/,
  },
  {
    name: 'a value that differs from its pin is refused',
    rule: tofu,
    changes: { before: { ...state, pins: { ...pins, 'pcr-7': digestA } } },
    outcome: 'contraindicated',
    found: /PCR 7 c3c3.* pinned a1a1/,
  },
  {
    name: 'a pinned PCR that was not quoted is refused',
    rule: tofu,
    changes: { before: { ...state, pins }, pcrs: new Map([[4, digestB]]) },
    outcome: 'contraindicated',
    found: /PCR 7 not quoted/,
  },
]

for (const { name, rule, changes, outcome, found } of cases) {
  test(`${rule.kind}: ${name}`, t => {
    const finding = appraiseRule(rule, { ...subject, ...changes })
    t.is(finding.outcome, outcome)
    if (found !== undefined) t.regex(finding.found ?? '', found)
  })
}
