import test from 'ava'
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import { encodeCedarRequest } from '../../../src/core/authorization/cedar-request.ts'
import type { DecisionInput } from '../../../src/core/authorization/decision-input.ts'
import { actions } from '../../../src/core/authorization/decision-input.ts'
import { starterPolicies } from '../../support/test-policies.ts'
import { agent, deciderOf, host, inputOf, noon, operator, permitAll, policy } from './inputs.ts'

test('an empty set denies everything, by no policy', t => {
  const decider = deciderOf('')
  for (const action of actions)
    for (const principal of [host, agent, operator])
      t.not(decider.decide(inputOf({ action, principal })).outcome, 'allow', action)
  t.like(decider.decide(inputOf()), { outcome: 'deny', policies: [], granted: null })
})

test('the starter set permits each act to those whom it is for, and to nobody else', t => {
  const decider = deciderOf(starterPolicies)
  const expected: Readonly<Record<string, string>> = {
    'enrol host': 'hosts-enrol',
    'issueCertificate host': 'hosts-certificates',
    'issueCertificate agent': 'agents-certificates',
    'issueToken host': 'hosts-tokens',
    'issueToken agent': 'agents-tokens',
    'issueToken operator': 'operators-tokens',
    'exchangeToken agent': 'agents-tokens',
    'exchangeToken operator': 'operators-tokens',
    'actAsOperator operator': 'operators-act',
  }
  for (const action of actions)
    for (const principal of [host, agent, operator]) {
      const { outcome, policies } = decider.decide(inputOf({ action, principal }))
      const id = expected[`${action} ${principal.kind}`]
      t.is(outcome === 'allow', id !== undefined, `${action} ${principal.kind}`)
      t.deepEqual(policies, id === undefined ? [] : [id])
    }
})

test('a forbid counts whatever permits, and both kinds are named', t => {
  const decider = deciderOf(
    permitAll +
      policy(
        'no-risk',
        'forbid (principal is Agent, action, resource) when { principal.riskScore > 50 };',
      ),
  )
  t.like(decider.decide(inputOf()), { outcome: 'allow', policies: ['all'] })
  const risky = { ...agent, riskScore: 51 }
  t.like(decider.decide(inputOf({ principal: risky })), { outcome: 'deny', policies: ['no-risk'] })
})

const conditions: readonly (readonly [string, string, DecisionInput, DecisionInput])[] = [
  [
    'time of day',
    'context.time.toTime() >= duration("8h") && context.time.toTime() < duration("18h")',
    inputOf(),
    inputOf({}, { time: noon + 7 * 3_600_000 }),
  ],
  [
    'location',
    'context has sourceAddress && context.sourceAddress.isInRange(ip("10.0.0.0/8"))',
    inputOf(),
    inputOf({}, { sourceAddress: '192.0.2.1' }),
  ],
  [
    'a location that is known',
    'context has sourceAddress',
    inputOf(),
    inputOf({}, { sourceAddress: null }),
  ],
  [
    'sensitivity',
    'principal is Agent && principal.class.sensitivity == "confidential"',
    inputOf(),
    inputOf({ principal: { ...agent, class: { ...agent.class, sensitivity: 'restricted' } } }),
  ],
  [
    'owner',
    'principal is Agent && principal has owner && principal.owner == User::"alice"',
    inputOf(),
    inputOf({ principal: { ...agent, class: { ...agent.class, owner: null } } }),
  ],
  [
    'environment',
    'principal is Agent && principal.environment == "production"',
    inputOf(),
    inputOf({ principal: { ...agent, class: { ...agent.class, environment: 'test' } } }),
  ],
  [
    'assurance',
    'principal is Agent && principal.host.assurance == "tpm-discrete"',
    inputOf(),
    inputOf({ principal: { ...agent, host: { ...host, assurance: 'tpm-virtual' } } }),
  ],
  [
    'Secure Boot',
    'principal is Agent && principal.host has secureBoot && principal.host.secureBoot',
    inputOf(),
    inputOf({ principal: { ...agent, host: { ...host, secureBoot: null } } }),
  ],
  [
    'the age of the appraisal',
    'principal is Host && context.time.durationSince(principal.appraisedAt) < duration("1h")',
    inputOf({ principal: host }),
    inputOf({ principal: host }, { time: noon + 3_600_000 }),
  ],
  [
    'labels',
    'principal is Host && principal.labels.contains("eu")',
    inputOf({ principal: host }),
    inputOf({ principal: { ...host, labels: [] } }),
  ],
  [
    'the depth of a delegation',
    'context.delegation.depth < 2',
    inputOf(),
    inputOf({}, { delegation: { depth: 2, initiator: 'a', actors: ['b', 'c'] } }),
  ],
  [
    'authorization details',
    '!context.details.actions.contains("delete")',
    inputOf(),
    inputOf({}, { details: { ...inputOf().context.details, actions: ['delete'] } }),
  ],
]

for (const [name, condition, permitted, denied] of conditions)
  test(`a policy can ask for ${name}`, t => {
    const text = policy('only', `permit (principal, action, resource) when { ${condition} };`)
    const decider = deciderOf(text)
    for (const _ of ['evaluated', 'remembered']) {
      t.is(decider.decide(permitted).outcome, 'allow')
      t.is(decider.decide(denied).outcome, 'deny')
    }
  })

test('what is left out of a slice, or remembered, changes no decision', t => {
  const text =
    policy(
      'coders',
      'permit (principal in AgentClass::"coder", action == Action::"issueToken", resource);',
    ) +
    policy('others', 'permit (principal in AgentClass::"other", action, resource);') +
    policy('one-host', 'permit (principal == Host::"host-1", action, resource);') +
    policy(
      'is-in',
      'permit (principal is Agent in AgentClass::"coder", action in [Action::"exchangeToken"], resource);',
    ) +
    policy('there', 'forbid (principal, action, resource == Audience::"https://away.example");') +
    policy('in-there', 'forbid (principal, action, resource in Audience::"https://far.example");') +
    policy(
      'early',
      'forbid (principal, action, resource) when { context.time.toTime() < duration("11h") };',
    ) +
    policy(
      'stale',
      'forbid (principal is Host, action, resource) when { context.time.durationSince(principal.appraisedAt) > duration("3h") };',
    ) +
    policy(
      'late',
      'permit (principal is Operator, action, resource) when { context.time.toTime() > duration("13h") };',
    ) +
    policy(
      'whole',
      'permit (principal is Operator, action == Action::"issueToken", resource) when { context == context };',
    )
  const decider = deciderOf(text)
  const other = { ...agent, id: 'agent-2', class: { ...agent.class, name: 'other' } }
  const stranger = { ...host, id: 'host-2' }
  for (const hours of [-2, 0, 2, 4])
    for (const principal of [agent, other, host, stranger, operator])
      for (const action of actions)
        for (const audience of [
          'https://api.example',
          'https://away.example',
          'https://far.example',
        ]) {
          const input = inputOf({ principal, action, audience }, { time: noon + hours * 3_600_000 })
          const whole = statefulIsAuthorized({
            ...encodeCedarRequest(input),
            preparsedSchemaName: decider.set.schema.id,
            validateRequest: true,
            preparsedPolicySetId: wholeSet(decider.set.policies),
          })
          const { outcome, policies } = decider.decide(input)
          if (whole.type === 'failure') {
            t.is(outcome, 'failed')
            continue
          }
          t.is(outcome, whole.response.decision)
          t.deepEqual(policies, whole.response.diagnostics.reason.toSorted())
          t.deepEqual(decider.decide(input).policies, policies)
        }
})

function wholeSet(policies: readonly { readonly id: string; readonly text: string }[]): string {
  const staticPolicies = Object.fromEntries(policies.map(({ id, text }) => [id, text]))
  preparsePolicySet('whole', { staticPolicies })
  return 'whole'
}

test('more slices than Cedar is given names for are parsed again when they come', t => {
  const decider = deciderOf(
    Array.from({ length: 600 }, (_, n) =>
      policy(`p${n}`, `permit (principal in AgentClass::"c${n}", action, resource);`),
    ).join(''),
  )
  const ask = (n: number, id: string): unknown =>
    decider.decide(
      inputOf({ principal: { ...agent, id, class: { ...agent.class, name: `c${n}` } } }),
    )
  for (const id of ['a', 'b'])
    for (let n = 0; n < 600; n += 1) t.like(ask(n, id), { outcome: 'allow', policies: [`p${n}`] })
})

test('a decision that was remembered is forgotten when there are too many, and made again', t => {
  const decider = deciderOf(permitAll)
  for (let n = 0; n < 10_010; n += 1) decider.decide(inputOf({ audience: `https://${n}.example` }))
  t.is(decider.decide(inputOf({ audience: 'https://1.example' })).outcome, 'allow')
})
