import test from 'ava'
import { readFileSync } from 'node:fs'
import { trustworthinessVector, tierOf } from '../../../src/core/appraisal/ar4si.ts'
import { earClaims, earVerifier } from '../../../src/core/appraisal/ear.ts'
import { standingRules, stateClaim } from '../../../src/core/appraisal/lines.ts'
import { ruleTable } from '../../../src/core/appraisal/rule-table.ts'
import { appraised, createTpm, document, verifiedEvidence } from './fixtures.ts'

const context = {
  issuer: 'https://assay.example',
  format: 'tpm2',
  subject: 'spiffe://example.org/host/1',
  nonce: 'bm9uY2Vub25jZQ',
  attestationId: 'attestation-1',
} as const

test('the claims are those of the profile', t => {
  const { verdict } = appraised(verifiedEvidence(createTpm()), document)
  const claims = earClaims(verdict, context)
  t.is(claims.eat_profile, 'tag:ietf.org,2026:rats/ear#03')
  t.is(claims.iat, Date.parse(verdict.issuedAt) / 1000)
  t.is(claims.exp - claims.iat, document.validitySeconds)
  t.is(claims.eat_nonce, context.nonce)
  t.is(claims.sub, context.subject)
  const { tpm2 } = claims.submods
  t.is(tpm2?.ear_status, 'affirming')
  t.deepEqual(tpm2?.ear_trustworthiness_vector, { hardware: 2, 'instance-identity': 2 })
  t.deepEqual(tpm2?.ear_appraisal_policy_ids, [verdict.policy.id])
  t.is(tpm2?.assay.evidence_sha256, verdict.evidenceSha256)
})

test('evidence that no host came of has no subject', t => {
  const { verdict } = appraised(verifiedEvidence(createTpm()), document)
  t.false('sub' in earClaims(verdict, { ...context, subject: undefined }))
})

test('the build that the claims name is the one of the package', t => {
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const { version } = JSON.parse(manifest) as { version: string }
  t.is<string, string>(earVerifier.build, `assay ${version}`)
})

test('each value of the mapping stands in the tier of its outcome', t => {
  const mappings = [
    ...Object.values(ruleTable).map(row => row.claim),
    ...Object.values(standingRules).map(row => row.claim),
    stateClaim,
  ]
  for (const mapping of mappings)
    for (const outcome of ['affirming', 'warning', 'contraindicated'] as const) {
      const value = outcome in mapping ? mapping[outcome as 'contraindicated'] : undefined
      if (value !== undefined) t.is(tierOf(value), outcome, `${mapping.claim} ${value}`)
    }
})

test('the worst value of a claim is the one that is told', t => {
  const claim = 'executables'
  const mapping = { claim, affirming: 2, warning: 33, contraindicated: 96 } as const
  const boot = { ...mapping, affirming: 3 }
  const vector = (...outcomes: ('affirming' | 'warning' | 'contraindicated' | 'none')[]): object =>
    trustworthinessVector(outcomes.map(outcome => ({ mapping, outcome })))
  t.deepEqual(vector('affirming', 'contraindicated', 'warning'), { executables: 96 })
  t.deepEqual(vector('warning', 'affirming'), { executables: 33 })
  t.deepEqual(vector('none'), {})
  t.deepEqual(
    trustworthinessVector([
      { mapping, outcome: 'affirming' },
      { mapping: boot, outcome: 'affirming' },
    ]),
    { executables: 3 },
  )
})

test('tiers are told from values as AR4SI counts them', t => {
  for (const [value, tier] of [
    [0, 'none'],
    [1, 'none'],
    [-1, 'none'],
    [2, 'affirming'],
    [31, 'affirming'],
    [-2, 'affirming'],
    [-32, 'affirming'],
    [32, 'warning'],
    [95, 'warning'],
    [-33, 'warning'],
    [-96, 'warning'],
    [96, 'contraindicated'],
    [127, 'contraindicated'],
    [-97, 'contraindicated'],
    [-128, 'contraindicated'],
  ] as const)
    t.is(tierOf(value), tier, String(value))
})
