import test from 'ava'
import { attackCases, playAttacks } from '../../src/cli/attack/play.ts'
import type { AttackSetup } from '../../src/cli/attack/world.ts'
import { startServiceBench, type ServiceBench } from './service-fixtures.ts'

function setupOf(bench: ServiceBench): AttackSetup {
  return { operator: bench.operator, connect: key => bench.connect(key), now: Date.now() }
}

test('each attack of the kit is refused for its reason, and each twin is let in', async t => {
  const bench = await startServiceBench()
  t.teardown(async () => await bench.stop())
  const outcomes = await playAttacks(
    setupOf(bench),
    attackCases,
    ({ name, expected, found, twin, isHeld }) =>
      t.true(isHeld, `${name}: expected ${expected}, found ${found}, twin ${twin}`),
  )
  t.is(outcomes.length, attackCases.length)
  t.true(outcomes.length > 40)
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
  const outcomes = await playAttacks(setupOf(bench), cases, () => undefined)
  t.deepEqual(
    outcomes.map(({ found, twin, isHeld }) => [found, twin, isHeld]),
    [
      ['accepted', 'accepted', false],
      [first.code, 'accepted', false],
      [first.code, first.code, false],
    ],
  )
})
