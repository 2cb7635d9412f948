import { ServiceError } from './error.ts'
import type { Service } from './service.ts'

/**
 * Why a client that was known a moment ago is refused now: its host, itself, or its key was taken out of use. Reads
 * the store afresh; for the path of refusal only.
 *
 * @param jkt thumbprint of the key that it was known by
 */
export async function explainRevocation(
  service: Pick<Service, 'store'>,
  jkt: string,
): Promise<ServiceError> {
  const current = await service.store.clients.findByKey(jkt)
  if (current === undefined) return new ServiceError('key-superseded', { found: jkt })
  if (current.kind === 'operator')
    return new ServiceError('operator-revoked', { found: current.operator.id })
  if (current.host.status === 'revoked')
    return new ServiceError('host-revoked', { found: current.host.id })
  if (current.kind === 'agent' && current.agent.status === 'revoked')
    return new ServiceError('agent-revoked', { found: current.agent.id })
  // It is in use again by now: what was asked for was asked with something older.
  return new ServiceError('key-superseded', { found: jkt })
}
