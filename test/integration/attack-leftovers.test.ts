import test, { type ExecutionContext } from 'ava'
import type { ServiceClient } from '../../src/attester/service-client.ts'
import { enroll, hostName } from '../../src/cli/attack/flows.ts'
import { askForChallenge, evidenceBody, sendEvidence } from '../../src/cli/attack/messages.ts'
import { attackCases, playAttacks } from '../../src/cli/attack/play.ts'
import { AttackWorld, type AttackSetup } from '../../src/cli/attack/world.ts'
import type { CommandError } from '../../src/cli/command-error.ts'
import { startServiceBench, type ServiceBench } from './service-fixtures.ts'

/** What has no answer for the time being. */
interface Outage {
  fails: (path: string) => boolean
}

/** A bench whose operator does not always reach the service. */
async function startSpoilt(
  t: ExecutionContext,
): Promise<{ bench: ServiceBench; setup: AttackSetup; outage: Outage }> {
  const bench = await startServiceBench()
  t.teardown(async () => await bench.stop())
  const outage: Outage = { fails: () => false }
  const call: ServiceClient['call'] = async (method, path, body) => {
    if (method === 'POST' && outage.fails(path)) throw new Error(`no answer for ${path}`)
    return await bench.operator.call(method, path, body)
  }
  const operator = { issuer: bench.issuer, call } as unknown as ServiceClient
  return {
    bench,
    setup: { operator, connect: key => bench.connect(key), now: Date.now() },
    outage,
  }
}

/** Paths that would take back what is in force at a service. */
async function leftAt({ operator }: ServiceBench): Promise<string[]> {
  const read = async <T>(path: string): Promise<T> => (await operator.call('GET', path)) as T
  const { hosts } = await read<{ hosts: { id: string; status: string }[] }>('/v1/hosts')
  const { anchors } = await read<{ anchors: { fingerprint: string; status: string }[] }>(
    '/v1/anchors',
  )
  const { hsmKeys } = await read<{ hsmKeys: { jkt: string; retiredAt: string | null }[] }>(
    '/v1/hsm-keys',
  )
  return [
    ...anchors
      .filter(({ status }) => status !== 'retired')
      .map(({ fingerprint }) => `/v1/anchors/${fingerprint}/retire`),
    ...hsmKeys
      .filter(({ retiredAt }) => retiredAt === null)
      .map(({ jkt }) => `/v1/hsm-keys/${jkt}/retire`),
    ...hosts.filter(({ status }) => status !== 'revoked').map(({ id }) => `/v1/hosts/${id}/revoke`),
  ]
}

const foundOf = (error: CommandError | undefined): string[] =>
  (error?.found ?? '').replace(/; after: .*/, '').split(' ')

const causesOf = (error: CommandError | undefined): string[] =>
  error?.cause instanceof AggregateError
    ? error.cause.errors.map(each => (each as Error).message)
    : []

test('a call that fails keeps nothing else from being taken back, and can be made again', async t => {
  const { bench, setup, outage } = await startSpoilt(t)
  const world = await AttackWorld.open(setup)
  await world.hsm()
  const hosts = [await enroll(world), await enroll(world), await enroll(world)]
  const [first, , key] = await leftAt(bench)
  const failing = [String(first), String(key), `/v1/hosts/${hosts[1]?.id}/revoke`]
  outage.fails = path => failing.includes(path)
  const error = await t.throwsAsync<CommandError>(async () => await world.close(), {
    code: 'attack-left',
  })
  t.deepEqual(foundOf(error).toSorted(), failing.toSorted())
  t.is(causesOf(error).length, 3)
  t.deepEqual((await leftAt(bench)).toSorted(), failing.toSorted())
  outage.fails = () => false
  await world.close()
  t.deepEqual(await leftAt(bench), [])
  outage.fails = () => true
  await t.notThrowsAsync(async () => await world.close())
})

test('anchors are retired before hosts are revoked', async t => {
  const { setup, outage } = await startSpoilt(t)
  const world = await AttackWorld.open(setup)
  await enroll(world)
  const asked: string[] = []
  outage.fails = path => asked.push(path) === 0
  await world.close()
  t.deepEqual(
    asked.map(path => path.split('/')[2]),
    ['anchors', 'hosts'],
  )
})

test('a kit that fails is taken back, and its own failure is told', async t => {
  const { bench, setup, outage } = await startSpoilt(t)
  const cases = attackCases.slice(0, 1)
  const play = async (): Promise<unknown> =>
    await playAttacks(setup, cases, () => {
      throw new TypeError('nobody listens')
    })
  await t.throwsAsync(play, { instanceOf: TypeError, message: 'nobody listens' })
  t.deepEqual(await leftAt(bench), [])
  outage.fails = path => path.endsWith('/retire')
  const error = await t.throwsAsync<CommandError>(play, { code: 'attack-left' })
  t.deepEqual(foundOf(error), await leftAt(bench))
  t.regex(error?.found ?? '', /\/retire; after: nobody listens$/)
  t.is(causesOf(error)[0], 'nobody listens')
})

test('a kit that cannot be set up leaves no anchor in force', async t => {
  const { bench, setup, outage } = await startSpoilt(t)
  const open = async (): Promise<unknown> => await AttackWorld.open(setup)
  outage.fails = path => path === '/v1/classes'
  await t.throwsAsync(open, { message: 'no answer for /v1/classes' })
  t.deepEqual(await leftAt(bench), [])
  outage.fails = path => path === '/v1/classes' || path.endsWith('/retire')
  const error = await t.throwsAsync<CommandError>(open, { code: 'attack-left' })
  t.deepEqual(foundOf(error), await leftAt(bench))
  t.is(causesOf(error)[0], 'no answer for /v1/classes')
})

test('HSMs of which some were admitted are taken back, and what went wrong with the next is told', async t => {
  const { bench, setup, outage } = await startSpoilt(t)
  const world = await AttackWorld.open(setup)
  outage.fails = path => path === '/v1/hsm-keys' || path.endsWith('/retire')
  await t.throwsAsync(async () => await world.hsm(), { message: 'no answer for /v1/hsm-keys' })
  t.is((await leftAt(bench)).length, 3)
  const error = await t.throwsAsync<CommandError>(async () => await world.close(), {
    code: 'attack-left',
  })
  t.deepEqual(foundOf(error).toSorted(), (await leftAt(bench)).toSorted())
  outage.fails = () => false
  await world.close()
  t.deepEqual(await leftAt(bench), [])
})

test('every host that evidence lets in is revoked at the end, whatever a case meant', async t => {
  const { bench, setup } = await startSpoilt(t)
  const world = await AttackWorld.open(setup)
  const tpm = world.createTpm()
  const open = setup.connect()
  const challenge = await askForChallenge(open, tpm, hostName())
  const id = await sendEvidence(world, open, challenge.id, evidenceBody(tpm, challenge).body)
  t.true((await leftAt(bench)).includes(`/v1/hosts/${id}/revoke`))
  await world.close()
  t.deepEqual(await leftAt(bench), [])
})
