import test from 'ava'
import { Decider } from '../../../src/core/authorization/decide.ts'
import {
  readDetails,
  requirePlainData,
} from '../../../src/core/authorization/authorization-details.ts'
import type { AuthorizationPolicySet } from '../../../src/core/authorization/policy-set.ts'
import { agent, deciderOf, host, inputOf, permitAll, policy, setOf } from './inputs.ts'

/** A set as a lint that missed something would have let it through. */
function unlinted(text: string): AuthorizationPolicySet {
  const base = setOf(permitAll)
  const parts = [{ ...base.policies[0]!, id: 'bad', text, effect: 'forbid' as const }]
  return Object.assign(Object.create(base) as AuthorizationPolicySet, {
    id: text,
    policies: [...base.policies, ...parts],
  })
}

const skipped: readonly (readonly [string, string])[] = [
  ['reads an attribute that is not there', 'principal.host.secureBoot == false'],
  ['calculates beyond a Long', 'context.lifetimeSeconds * 9223372036854775807 > 0'],
  ['reads what no entity is at hand for', 'Host::"gone".name == "x"'],
  ['reads an attribute of a wrong type', 'principal.host.name > 3'],
  [
    'moves a time beyond all times',
    'context.time.offset(duration("9223372036854775807ms")) > context.time',
  ],
]

for (const [name, condition] of skipped)
  test(`a forbid that ${name} denies, and is told: Cedar alone would let it pass`, t => {
    const text = `forbid (principal, action, resource) when { ${condition} };`
    const decider = new Decider(unlinted(text))
    const input = inputOf({ principal: { ...agent, host: { ...host, secureBoot: null } } })
    const answer = decider.decide(input)
    t.like(answer, { outcome: 'failed', granted: null })
    t.regex(answer.errors[0] ?? '', /^bad: /)
    t.is(decider.decide(input).outcome, 'failed', 'nor is it remembered as anything else')
  })

const inputs: readonly (readonly [string, object, object])[] = [
  ['a fraction', {}, { lifetimeSeconds: 1.5 }],
  ['a null', {}, { scopes: null }],
  ['an unsafe number', {}, { lifetimeSeconds: 2 ** 60 }],
  ['a typed value among texts', {}, { scopes: [{ __entity: { type: 'User', id: 'root' } }] }],
  ['an extension among texts', {}, { scopes: [{ __extn: { fn: 'ip', arg: '10.0.0.1' } }] }],
  [
    'a typed value for a text',
    {},
    { delegation: { depth: 0, initiator: { __extn: { fn: 'ip', arg: '::1' } }, actors: [] } },
  ],
  ['a text for a number', {}, { lifetimeSeconds: '300' }],
  ['an address that is none', {}, { sourceAddress: 'localhost' }],
  ['a time that is none', {}, { time: 2 ** 53 - 1 }],
  ['an action that is none', { action: 'doAnything' }, {}],
  ['an attribute of another type', { principal: { ...host, riskScore: '0' } }, {}],
  ['an attribute too few', { principal: { ...host, labels: undefined } }, {}],
  ['an act that is not for this kind of principal', { action: 'actAsOperator' }, {}],
]

for (const [name, changes, around] of inputs)
  test(`an input with ${name} denies, whatever permits`, t => {
    const reader = policy(
      'reads-all',
      'forbid (principal, action, resource) when { context != context };',
    )
    const decider = deciderOf(permitAll + reader)
    t.is(decider.decide(inputOf()).outcome, 'allow')
    const answer = decider.decide(inputOf(changes, around))
    t.like(answer, { outcome: 'failed', policies: [], granted: null })
    t.true(answer.errors.length > 0)
  })

test('refuses names that choose a type, at any depth of untrusted data', t => {
  const deep = (value: unknown): unknown => [{ type: 'payment', a: [{ b: { c: value } }] }]
  t.notThrows(() => requirePlainData(deep({ entity: { type: 'User', id: 'x' } })))
  for (const name of ['__entity', '__extn', '__expr', '__anything'])
    for (const value of [{ [name]: 'x' }, deep({ [name]: { type: 'User', id: 'x' } })])
      t.throws(() => requirePlainData(value), { code: 'untrusted-reserved' })
})

for (const [name, value] of Object.entries({
  'a fraction': 0.5,
  'a null': null,
  'an unsafe number': 2 ** 53,
  'a lone surrogate': '\ud800',
  nothing: undefined,
  'too many levels': JSON.parse('['.repeat(20) + ']'.repeat(20)) as unknown,
}))
  test(`refuses ${name} in untrusted data`, t => {
    t.throws(() => requirePlainData(value), { code: 'untrusted-value' })
    t.throws(() => requirePlainData([{ a: value }]), { code: 'untrusted-value' })
    t.notThrows(() => requirePlainData([{ a: 'x', b: 1, c: true, d: ['é'] }]))
  })

test('authorization details are seen as sets of texts, and bound as they came', t => {
  t.deepEqual(readDetails([]).digest, null)
  const { facts, digest } = readDetails([
    { type: 'payment', actions: ['write', 'read'], identifier: 'a', amount: 5 },
    { type: 'payment', actions: ['read', 7], locations: ['https://x.example'] },
  ])
  t.deepEqual(facts, {
    types: ['payment'],
    actions: ['read', 'write'],
    locations: ['https://x.example'],
    datatypes: [],
    identifiers: ['a'],
    privileges: [],
  })
  t.regex(digest ?? '', /^[\w-]{43}$/)
  t.is(readDetails([{ a: 1, b: 2 }]).digest, readDetails([{ b: 2, a: 1 }]).digest)
  t.not(readDetails([{ a: 1 }]).digest, readDetails([{ a: 2 }]).digest)
  t.throws(() => readDetails([{ type: { __entity: { type: 'User', id: 'x' } } }]), {
    code: 'untrusted-reserved',
  })
})
