import test from 'ava'
import { attackCases, playAttacks } from '../../src/cli/attack/play.ts'
import type { AttackSetup } from '../../src/cli/attack/world.ts'
import { loadPolicyFile } from '../../src/cli/policy-file.ts'
import { activationType } from '../../src/core/appraisal/policy-activation.ts'
import { signActivation } from '../../src/cli/policy-activation.ts'
import { startServiceBench, type ServiceBench } from './service-fixtures.ts'

function setupOf(bench: ServiceBench): AttackSetup {
  return { operator: bench.operator, connect: key => bench.connect(key), now: Date.now() }
}

/** Puts the policy of `npm run attack` into force, which looks at everything that the kit forges. */
async function establishPolicy({ issuer, operator, operatorKey }: ServiceBench): Promise<void> {
  const { document, id } = await loadPolicyFile('test/attack/policy.yaml')
  await operator.call('POST', '/v1/policies', document)
  const claims = { policy: id, version: 2, replaces: 1 }
  const jws = await signActivation(
    { service: { issuer }, key: operatorKey },
    claims,
    activationType,
  )
  await operator.call('POST', '/v1/policies/2/activate', { jws })
}

test('each attack of the kit is refused for its reason, and each twin is let in', async t => {
  const bench = await startServiceBench()
  t.teardown(async () => await bench.stop())
  await establishPolicy(bench)
  const { outcomes, notPlayed } = await playAttacks(
    setupOf(bench),
    attackCases,
    ({ name, expected, found, twin, isHeld }) =>
      t.true(isHeld, `${name}: expected ${expected}, found ${found}, twin ${twin}`),
  )
  t.is(outcomes.length, attackCases.length)
  t.deepEqual(notPlayed, [])
  t.true(outcomes.length > 60)
})

test('forged logs are not played against a policy that looks at none, and are named', async t => {
  const bench = await startServiceBench()
  t.teardown(async () => await bench.stop())
  const cases = attackCases.filter(({ needs }) => needs !== undefined)
  const played = await playAttacks(setupOf(bench), cases, () => t.fail())
  t.deepEqual(played, { outcomes: [], notPlayed: cases.map(({ name }) => name) })
  t.true(cases.length >= 15)
  const { active } = (await bench.operator.call('GET', '/v1/policies')) as { active: number }
  t.is(active, 1)
})

test('a kit that was played leaves no host active and no anchor in force', async t => {
  const bench = await startServiceBench()
  t.teardown(async () => await bench.stop())
  await playAttacks(setupOf(bench), attackCases.slice(-2), () => undefined)
  const { hosts } = (await bench.operator.call('GET', '/v1/hosts')) as {
    hosts: { status: string }[]
  }
  t.true(hosts.length > 2)
  t.true(hosts.every(host => host.status === 'revoked'))
  const { anchors } = (await bench.operator.call('GET', '/v1/anchors')) as {
    anchors: { status: string }[]
  }
  t.deepEqual(
    anchors.map(anchor => anchor.status),
    ['retired'],
  )
})

test('a case that is accepted, or refused for another reason, is not held', async t => {
  const bench = await startServiceBench()
  t.teardown(async () => await bench.stop())
  const [first] = attackCases
  if (first === undefined) throw new Error('a kit has cases')
  const cases = [
    { ...first, name: 'accepted', attack: first.twin },
    { ...first, name: 'other reason', code: 'quote-nonce' },
    { ...first, name: 'twin refused', twin: first.attack },
  ]
  const { outcomes } = await playAttacks(setupOf(bench), cases, () => undefined)
  t.deepEqual(
    outcomes.map(({ found, twin, isHeld }) => [found, twin, isHeld]),
    [
      ['accepted', 'accepted', false],
      [first.code, 'accepted', false],
      [first.code, first.code, false],
    ],
  )
})
