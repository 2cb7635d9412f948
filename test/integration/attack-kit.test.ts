import test from 'ava'
import type { AttackOutcome } from '../../src/cli/attack/attack-case.ts'
import { agentCases } from '../../src/cli/attack/agent-cases.ts'
import { hsmAttestedCases } from '../../src/cli/attack/hsm-attested-cases.ts'
import { hsmDeclaredCases } from '../../src/cli/attack/hsm-declared-cases.ts'
import { attackCases, playAttacks } from '../../src/cli/attack/play.ts'
import type { AttackSetup } from '../../src/cli/attack/world.ts'
import { loadPolicyFile } from '../../src/cli/policy-file.ts'
import { activationType } from '../../src/core/appraisal/policy-activation.ts'
import { signActivation } from '../../src/cli/policy-activation.ts'
import { startServiceBench, type ServiceBench } from './service-fixtures.ts'

function setupOf(bench: ServiceBench): AttackSetup {
  return { operator: bench.operator, connect: key => bench.connect(key), now: Date.now() }
}

/** Puts a policy of `npm run attack` into force: after `replaces`, the next one. */
async function establishPolicy(
  { issuer, operator, operatorKey }: ServiceBench,
  name: string,
  replaces: number,
): Promise<void> {
  const { document, id } = await loadPolicyFile(`test/attack/${name}`)
  await operator.call('POST', '/v1/policies', document)
  const version = replaces + 1
  const claims = { policy: id, version, replaces }
  const jws = await signActivation(
    { service: { issuer }, key: operatorKey },
    claims,
    activationType,
  )
  await operator.call('POST', `/v1/policies/${version}/activate`, { jws })
}

test('each attack of the kit is refused for its reason, and each twin is let in', async t => {
  const bench = await startServiceBench()
  t.teardown(async () => await bench.stop())
  const onOutcome = ({ name, expected, found, twin, isHeld }: AttackOutcome): void =>
    void t.true(isHeld, `${name}: expected ${expected}, found ${found}, twin ${twin}`)
  await establishPolicy(bench, 'policy.yaml', 1)
  const first = await playAttacks(setupOf(bench), attackCases, onOutcome)
  t.true(first.outcomes.length > 95)
  t.is(first.notPlayed.length, 1)
  await establishPolicy(bench, 'policy-hardware.yaml', 2)
  const left = attackCases.filter(({ name }) => first.notPlayed.includes(name))
  const second = await playAttacks(setupOf(bench), left, onOutcome)
  t.deepEqual(second.notPlayed, [])
  t.is(first.outcomes.length + second.outcomes.length, attackCases.length)
})

test('where the policy admits no HSM its cases are not played, and are named', async t => {
  const bench = await startServiceBench()
  t.teardown(async () => await bench.stop())
  const cases = [...hsmAttestedCases, ...hsmDeclaredCases]
  const { outcomes, notPlayed } = await playAttacks(setupOf(bench), cases, () => t.fail())
  t.deepEqual([outcomes.length, notPlayed.length], [0, cases.length])
  t.true(cases.length > 35)
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

test('a kit that was played leaves no host active, and nothing in force that it brought', async t => {
  const bench = await startServiceBench()
  t.teardown(async () => await bench.stop())
  await establishPolicy(bench, 'policy.yaml', 1)
  const cases = [...agentCases.slice(-1), ...hsmDeclaredCases.slice(0, 1)]
  await playAttacks(setupOf(bench), cases, () => undefined)
  const statuses = async (kind: 'hosts' | 'anchors', path: string): Promise<string[]> => {
    const answer = (await bench.operator.call('GET', path)) as Record<
      typeof kind,
      { status: string }[]
    >
    return answer[kind].map(({ status }) => status)
  }
  const hosts = await statuses('hosts', '/v1/hosts')
  t.true(hosts.length > 2)
  t.true(hosts.every(status => status === 'revoked'))
  t.deepEqual(await statuses('anchors', '/v1/anchors'), ['retired', 'retired', 'retired'])
  const { hsmKeys } = (await bench.operator.call('GET', '/v1/hsm-keys')) as {
    hsmKeys: { retiredAt: string | null }[]
  }
  t.is(hsmKeys.length, 2)
  t.true(hsmKeys.every(({ retiredAt }) => retiredAt !== null))
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
