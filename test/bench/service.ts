import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { encodeBenchTpm } from './bench-tpm.ts'
import { BenchProcess } from './child.ts'
import type { LoadOrder, LoadReport } from './load-process.ts'
import { benchPolicies } from './policy-set.ts'
import { className, createPopulation } from './population.ts'
import { createRate, type Rate } from './rate.ts'
import { measureRawMicroseconds } from './raw.ts'
import type { RequestKind } from './requests.ts'
import type { ServiceOrder, ServiceReport } from './service-process.ts'

const agentCount = 256
const connections = 64
/** Of the rounds before the first that counts: code is still being compiled, which a service does once. */
const warmUpRounds = 3
const rounds = 4
const requestsPerRound: Readonly<Record<RequestKind, number>> = {
  token: 6_000,
  tokenTwoSignatures: 4_000,
  certificate: 4_000,
}

/**
 * Tokens and certificates through everything that a caller goes through: TLS, HTTP, the checks, the signatures, the
 * store with its durable log. The service's process does nothing else, so its CPU time is all theirs.
 *
 * @param folder empty, for the data of the service; the caller removes it
 * @param flags of Node, for the service's process
 */
export async function benchService(
  folder: string,
  flags: readonly string[],
): Promise<Record<RequestKind, Rate>> {
  return await withService(folder, flags, async (service, load) => ({
    token: await measure('token', service, load),
    tokenTwoSignatures: await measure('tokenTwoSignatures', service, load),
    certificate: await measure('certificate', service, load),
  }))
}

/** Tokens as in {@link benchService}, with a thousand authorization policies in force. */
export async function benchPolicyTokens(folder: string, flags: readonly string[]): Promise<Rate> {
  const policies = benchPolicies(className)
  return await withService(
    folder,
    flags,
    async (service, load) => await measure('token', service, load),
    policies,
  )
}

async function withService<T>(
  folder: string,
  flags: readonly string[],
  use: (service: ServiceProcess, load: LoadProcess) => Promise<T>,
  policies?: string,
): Promise<T> {
  const population = await createPopulation(folder, agentCount)
  // Followed at the start, as any set that the folder of a service holds.
  if (policies !== undefined) writeFileSync(join(folder, 'authorization.cedar'), policies)
  const service = new BenchProcess<ServiceOrder, ServiceReport>(
    'service-process.ts',
    [folder],
    flags,
  )
  const load = new BenchProcess<LoadOrder, LoadReport>('load-process.ts')
  try {
    await introduce(await portOf(service), folder, load, population)
    return await use(service, load)
  } finally {
    await load.end()
    await service.end('stop')
  }
}

type ServiceProcess = BenchProcess<ServiceOrder, ServiceReport>
type LoadProcess = BenchProcess<LoadOrder, LoadReport>

async function portOf(service: ServiceProcess): Promise<number> {
  const report = await service.report()
  if (!('port' in report)) throw new TypeError('the service says first where it listens')
  return report.port
}

async function introduce(
  port: number,
  folder: string,
  load: LoadProcess,
  { agents, tpm }: Awaited<ReturnType<typeof createPopulation>>,
): Promise<void> {
  const root = readFileSync(join(folder, 'ca', 'root.pem'), 'utf8')
  const texts = agents.map(({ id, spiffeId, key }) => {
    const pkcs8 = key.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')
    return { id, spiffeId, pkcs8 }
  })
  await load.order({ meet: { address: { port, root }, agents: texts, tpm: encodeBenchTpm(tpm) } })
}

/**
 * The first rounds warm both sides up and count for nothing; of the others the one counts that was least disturbed by
 * what else the machine does. The raw cost is taken on both sides of them.
 */
async function measure(
  kind: RequestKind,
  service: ServiceProcess,
  load: LoadProcess,
): Promise<Rate> {
  const count = requestsPerRound[kind]
  for (let round = 0; round < warmUpRounds; round += 1) await runRound(kind, count, service, load)
  const raw = [measureRawMicroseconds(kind)]
  const own: number[] = []
  for (let round = 0; round < rounds; round += 1)
    own.push((await runRound(kind, count, service, load)) / count)
  raw.push(measureRawMicroseconds(kind))
  return createRate(Math.min(...own), Math.min(...raw))
}

/** CPU microseconds of the service for one round. */
async function runRound(
  kind: RequestKind,
  count: number,
  service: ServiceProcess,
  load: LoadProcess,
): Promise<number> {
  await load.order({ prepare: { kind, count } })
  const before = await cpuOf(service)
  await load.order({ send: { connections } })
  return (await cpuOf(service)) - before
}

async function cpuOf(service: ServiceProcess): Promise<number> {
  const report = await service.order('cpu')
  if (!('cpuMicroseconds' in report)) throw new TypeError('the service was asked for its CPU time')
  return report.cpuMicroseconds
}
