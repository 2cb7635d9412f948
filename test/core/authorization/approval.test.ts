import test from 'ava'
import { findApprovable, type Approvable } from '../../../src/core/authorization/approval.ts'
import type { DecisionInput } from '../../../src/core/authorization/decision-input.ts'
import { deciderOf, inputOf, permitAll, policy, setOf } from './inputs.ts'

const unless = 'forbid (principal, action, resource) unless { context.approved };'
const permitWhen = 'permit (principal, action, resource) when { context.approved };'

function find(text: string, input: DecisionInput = inputOf()): Approvable | undefined {
  const decider = deciderOf(text)
  return findApprovable(decider, input, decider.decide(input))
}

test('a denial by a forbid that an approval lifts can be approved, and comes out as permitted', t => {
  const found = find(permitAll + policy('write', unless, '@requestable("30")'))
  t.like(found, {
    requestable: { minutes: 30 },
    policies: ['write'],
    answer: { outcome: 'allow', policies: ['all'] },
    input: { context: { approved: true } },
  })
  t.deepEqual({ ...found?.input.context, approved: false }, inputOf().context)
})

test('so can a denial for want of a permit that an approval brings, and it narrows as it says', t => {
  const found = find(policy('lent', permitWhen, '@requestable @maxLifetimeSeconds("20")'))
  t.like(found, {
    requestable: { minutes: null },
    policies: ['lent'],
    answer: { granted: { lifetimeSeconds: 20 } },
  })
})

test('several policies let an approval count as the strictest of them does', t => {
  const both = (first: string, second: string): unknown =>
    find(permitAll + policy('a', unless, first) + policy('b', unless, second))?.requestable
  t.deepEqual(both('@requestable("30")', '@requestable("10")'), { minutes: 10 })
  t.deepEqual(both('@requestable("30")', '@requestable("once")'), { minutes: null })
  t.deepEqual(both('@requestable', '@requestable("10")'), { minutes: null })
})

test('where something else denies as well, an approval changes nothing and cannot be asked for', t => {
  const write = policy('write', unless, '@requestable')
  t.is(find(write), undefined)
  t.is(find(permitAll + write + policy('no', 'forbid (principal, action, resource);')), undefined)
  t.is(find(permitAll + policy('no', 'forbid (principal, action, resource);')), undefined)
  t.is(find(''), undefined)
  t.truthy(find(permitAll + write))
})

test('what is permitted anyway needs no approval, and what failed is not mended by one', t => {
  const text = permitAll + policy('write', unless, '@requestable')
  const decider = deciderOf(text)
  const approved = inputOf({}, { approved: true })
  t.is(findApprovable(decider, approved, decider.decide(approved)), undefined)
  const failed = { ...decider.decide(inputOf()), outcome: 'failed' } as const
  t.is(findApprovable(decider, inputOf(), failed), undefined)
})

test('a policy that could make the difference without being requestable keeps it denied', t => {
  const whole = 'permit (principal, action, resource) when { context == context && true };'
  const forbid = policy('write', unless, '@requestable')
  t.is(find(policy('whole', whole) + forbid), undefined)
  t.truthy(find(policy('whole', whole, '@requestable') + forbid))
})

test('a policy is requestable and reads context.approved, or neither', t => {
  const plain = 'forbid (principal, action, resource);'
  for (const text of [
    policy('a', plain, '@requestable'),
    policy('a', unless),
    policy('a', permitWhen),
  ])
    t.throws(() => setOf(text), { code: 'authorization-approval' }, text)
  t.false(setOf(policy('a', plain)).isRequestable)
  t.true(setOf(policy('a', unless, '@requestable("once")')).isRequestable)
})

test('only a policy on access tokens of agents is requestable', t => {
  const on = (principal: string, action: string): string =>
    policy(
      'a',
      `forbid (${principal}, ${action}, resource) unless { context.approved };`,
      '@requestable',
    )
  for (const [principal, action] of [
    ['principal is Host', 'action'],
    ['principal == Operator::"x"', 'action'],
    ['principal is Agent', 'action == Action::"issueCertificate"'],
    ['principal', 'action in [Action::"enrol", Action::"actAsOperator"]'],
  ] as const)
    t.throws(() => setOf(on(principal, action)), { code: 'authorization-approval' }, principal)
  for (const [principal, action] of [
    ['principal is Agent', 'action'],
    ['principal == Agent::"x"', 'action == Action::"exchangeToken"'],
    [
      'principal in AgentClass::"x"',
      'action in [Action::"issueToken", Action::"issueCertificate"]',
    ],
  ] as const)
    t.notThrows(() => setOf(on(principal, action)), principal)
})
