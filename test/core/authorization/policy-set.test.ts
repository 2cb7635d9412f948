import test from 'ava'
import { AuthorizationSchema } from '../../../src/core/authorization/schema.ts'
import { readPolicy } from '../../../src/core/authorization/policy.ts'
import {
  AuthorizationPolicySet,
  canonicalPolicies,
} from '../../../src/core/authorization/policy-set.ts'
import { starterPolicies, testSchema } from '../../support/test-policies.ts'
import { deciderOf, inputOf, permitAll, policy, setOf } from './inputs.ts'

test('the starter set holds under the schema, and is in its one form', t => {
  const text = canonicalPolicies(starterPolicies)
  t.is(canonicalPolicies(text), text)
  t.is(setOf(text).policies.length, 7)
  t.regex(setOf(text).id, /^sha256:[0-9a-f]{64}$/)
  t.true(text.includes('// Policies narrow what registration allows'))
  t.is(canonicalPolicies(''), '\n')
  t.is(setOf(canonicalPolicies('')).policies.length, 0)
})

test('attributes that may be absent are known by name', t => {
  t.deepEqual([...testSchema.optional].sort(), [
    'firmware',
    'manufacturer',
    'owner',
    'secureBoot',
    'sourceAddress',
  ])
})

test('refuses a schema that cannot be read', t => {
  t.throws(() => AuthorizationSchema.prepare('entity {'), { code: 'authorization-schema' })
})

const forbid = (condition: string): string =>
  policy('f', `forbid (principal is Agent, action, resource) when { ${condition} };`)

const refused: readonly (readonly [string, string, string])[] = [
  ['a text that is none', 'authorization-syntax', 'permit everything'],
  [
    'a template',
    'authorization-template',
    policy('t', 'permit (principal == ?principal, action, resource);'),
  ],
  ['a policy without id', 'authorization-id', 'permit (principal, action, resource);'],
  [
    'an id in capitals',
    'authorization-id',
    policy('Admin', 'permit (principal, action, resource);'),
  ],
  ['two policies of one id', 'authorization-id', permitAll + permitAll],
  ['more than a set may have', 'authorization-size', ' '.repeat(1024 * 1024 + 1)],
  ['more policies than a set may have', 'authorization-size', permitAll.repeat(5_001)],
  [
    'a policy of too many levels',
    'authorization-size',
    forbid(`${'!'.repeat(4)}true ${'&& true '.repeat(220)}`),
  ],
  ['an unknown attribute', 'authorization-validation', forbid('principal.colour == "red"')],
  [
    'an unknown type',
    'authorization-validation',
    policy('f', 'forbid (principal is Robot, action, resource);'),
  ],
  [
    'an unknown act',
    'authorization-validation',
    policy('f', 'forbid (principal, action == Action::"x", resource);'),
  ],
  ['a policy that can never apply', 'authorization-validation', forbid('false')],
  [
    'a name that mixes scripts',
    'authorization-validation',
    policy('f', 'forbid (principal == Operator::"\u0430dmin", action, resource);'),
  ],
  [
    'a comparison of unlike types',
    'authorization-validation',
    forbid('principal.riskScore == "high"'),
  ],
]

for (const [name, code, text] of refused)
  test(`refuses ${name} with ${code}`, t => {
    t.throws(() => setOf(text), { code })
  })

test('refuses one policy that cannot be read, and a set under a schema that cannot', t => {
  t.throws(() => readPolicy('permit', testSchema), { code: 'authorization-syntax' })
  const broken = Object.assign(Object.create(testSchema) as AuthorizationSchema, {
    text: 'entity {',
  })
  t.throws(() => AuthorizationPolicySet.prepare(permitAll, 1, broken), {
    code: 'authorization-validation',
  })
})

test('refuses what cannot be brought into one form', t => {
  t.throws(() => canonicalPolicies('permit everything'), { code: 'authorization-syntax' })
  t.throws(() => canonicalPolicies(' '.repeat(1024 * 1024 + 1)), { code: 'authorization-size' })
})

const unsafe: readonly (readonly [string, string])[] = [
  ['authorization-optional', 'principal.host.secureBoot'],
  ['authorization-optional', 'principal.host.secureBoot && principal.host has secureBoot'],
  ['authorization-optional', 'principal.host has firmware && principal.host.secureBoot'],
  ['authorization-optional', '!(principal.host has secureBoot) && principal.host.secureBoot'],
  ['authorization-optional', 'principal.host has secureBoot || principal.host.secureBoot'],
  [
    'authorization-optional',
    '(principal.host has secureBoot || principal.host has firmware) && principal.host.secureBoot',
  ],
  [
    'authorization-optional',
    'if principal.host has secureBoot then true else principal.host.secureBoot',
  ],
  ['authorization-optional', '[principal.host.name].contains(principal.host.firmware)'],
  ['authorization-optional', '(if true then principal.host else principal.host).secureBoot'],
  ['authorization-literal', 'Agent::"x".host.name == "y"'],
  ['authorization-literal', 'Host::"x" has firmware'],
  ['authorization-literal', '{ a: principal }.a.host.name == "y"'],
  ['authorization-overflow', 'context.lifetimeSeconds * 9223372036854775807 > 1'],
  ['authorization-overflow', 'context.lifetimeSeconds * context.lifetimeSeconds > 1'],
  ['authorization-overflow', 'context.lifetimeSeconds + 9223372036854775807 > 1'],
  ['authorization-overflow', 'principal.riskScore * 2048 > 1'],
  ['authorization-overflow', '-(principal.riskScore * 4096) < 1'],
  ['authorization-overflow', 'context.time.toTime().toMilliseconds() + 1 > 1'],
  ['authorization-overflow', '1 + context.time.toTime().toMilliseconds() > 1'],
  [
    'authorization-overflow',
    '(if true then context.time.toTime().toMilliseconds() else 1) + 1 > 1',
  ],
  [
    'authorization-overflow',
    '(if true then 1 else context.time.toTime().toMilliseconds()) + 1 > 1',
  ],
  ['authorization-overflow', '(1 == 1) + 1 > 1'],
  ['authorization-overflow', 'context.time.offset(duration("1d")) > context.time'],
]

for (const [code, condition] of unsafe)
  test(`refuses a policy that Cedar may skip: ${condition}`, t => {
    t.throws(() => setOf(forbid(condition)), { code })
    t.throws(() => setOf(forbid(condition).replace('forbid', 'permit')), { code })
    t.throws(() => setOf(forbid(`true`).replace('when { true }', `unless { ${condition} }`)), {
      code,
    })
  })

const safe: readonly string[] = [
  'principal.host has secureBoot && principal.host.secureBoot',
  'principal.host has secureBoot && (true && !principal.host.secureBoot)',
  'principal has host.secureBoot && principal.host.secureBoot',
  'principal.host.riskScore > 1 && principal.host has secureBoot && principal.host.secureBoot',
  '(principal.host has secureBoot && true || principal.host has secureBoot) && principal.host.secureBoot',
  'if principal.host has secureBoot then principal.host.secureBoot else true',
  'principal.riskScore * 1000 + 5 - -3 > 100',
  '-principal.riskScore < -5',
  '(if principal.riskScore > 4 then 1 else principal.riskScore) * 10 > 20',
  'context.time.durationSince(principal.host.appraisedAt) > duration("1h")',
  '{ a: principal.riskScore } == { a: 1 }',
  'principal.host.name like "rack-*" && principal is Agent in AgentClass::"coder"',
]

for (const condition of safe)
  test(`takes a policy that cannot fail: ${condition}`, t => {
    t.notThrows(() => setOf(forbid(condition)))
    t.not(deciderOf(permitAll + forbid(condition)).decide(inputOf()).outcome, 'failed')
  })

test('a test in one clause counts for the next, and in an unless for none', t => {
  const head = 'forbid (principal is Host, action, resource)'
  const read = 'principal.secureBoot'
  t.notThrows(() =>
    setOf(policy('f', `${head} when { principal has secureBoot } unless { ${read} };`)),
  )
  t.throws(
    () => setOf(policy('f', `${head} unless { principal has secureBoot } when { ${read} };`)),
    { code: 'authorization-optional' },
  )
})

test('whoever forbids only where an attribute is there is told what passes', t => {
  const [tested] = setOf(
    forbid('principal.host has secureBoot && !principal.host.secureBoot'),
  ).policies
  t.deepEqual(tested?.notices, ['does not forbid where secureBoot is absent; `unless` would'])
  const text = policy(
    'f',
    'forbid (principal is Agent, action, resource) unless { principal.host has secureBoot && principal.host.secureBoot };',
  )
  t.deepEqual(setOf(text).policies[0]?.notices, [])
  t.deepEqual(setOf(text.replace('forbid', 'permit')).policies[0]?.notices, [])
})

const annotated = (annotations: string, effect = 'permit'): string =>
  policy('a', `${effect} (principal, action, resource);`, annotations)

for (const [annotations, effect] of [
  ['@maxLifetimeSecond("60")', 'permit'],
  ['@maxLifetimeSeconds("0")', 'permit'],
  ['@maxLifetimeSeconds("1.5")', 'permit'],
  ['@maxLifetimeSeconds', 'permit'],
  ['@maxLifetimeSeconds("60")', 'forbid'],
  ['@scopes("a  b")', 'permit'],
  ['@scopes("a")', 'forbid'],
  ['@audiences("")', 'permit'],
  ['@requestable("0")', 'permit'],
  ['@requestable("forever")', 'forbid'],
  ['@description("")', 'permit'],
  ['@toString("x")', 'permit'],
] as const)
  test(`refuses the annotation ${annotations} on a ${effect}`, t => {
    t.throws(() => setOf(annotated(annotations, effect)), { code: 'authorization-annotation' })
  })

test('annotations of permits narrow what is granted, and several of them together', t => {
  const both =
    annotated('@maxLifetimeSeconds("60") @scopes("read write")') +
    policy(
      'b',
      'permit (principal, action, resource);',
      '@maxLifetimeSeconds("30") @scopes("write")',
    )
  const asked = inputOf({}, { scopes: ['read', 'write'], lifetimeSeconds: 300 })
  t.deepEqual(deciderOf(annotated('')).decide(asked).granted, {
    scopes: ['read', 'write'],
    lifetimeSeconds: 300,
  })
  t.deepEqual(deciderOf(both).decide(asked).granted, { scopes: ['write'], lifetimeSeconds: 30 })
  const short = inputOf({}, { scopes: [], lifetimeSeconds: 10 })
  t.deepEqual(deciderOf(both).decide(short).granted, { scopes: [], lifetimeSeconds: 10 })
})

test('where nothing is left of the scopes, nothing is granted', t => {
  for (const annotations of ['@scopes("admin")', '@scopes("")'])
    t.like(deciderOf(annotated(annotations)).decide(inputOf()), {
      outcome: 'deny',
      policies: ['a'],
      granted: null,
    })
})

test('a permit with audiences counts for those alone', t => {
  const decider = deciderOf(annotated('@audiences("https://api.example https://b.example")'))
  t.is(decider.decide(inputOf()).outcome, 'allow')
  t.like(decider.decide(inputOf({ audience: 'https://c.example' })), {
    outcome: 'deny',
    policies: [],
  })
})
