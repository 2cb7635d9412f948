import type { ExecutionContext } from 'ava'
import type { ClientKey } from '../../src/attester/client-key.ts'
import { ServiceClient } from '../../src/attester/service-client.ts'
import { startLocalService, type LocalService, type LocalServiceOptions } from './local-service.ts'

/** A service of this machine. */
export async function start(
  t: ExecutionContext,
  options?: LocalServiceOptions,
): Promise<LocalService> {
  const service = await startLocalService(options)
  t.teardown(async () => await service.stop())
  return service
}

/** A client that trusts the service. */
export function clientOf(
  t: ExecutionContext,
  service: Pick<LocalService, 'issuer' | 'root'>,
  options: { key?: ClientKey; clock?: { now(): number } } = {},
): ServiceClient {
  const client = ServiceClient.create({
    issuer: service.issuer,
    trust: { root: service.root },
    ...options,
  })
  t.teardown(async () => await client.close())
  return client
}
