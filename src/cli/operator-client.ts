import { ClientError } from '../attester/client-error.ts'
import type { ClientKey } from '../attester/client-key.ts'
import type { Home, KnownService } from '../attester/home.ts'
import type { ServiceClient } from '../attester/service-client.ts'
import { refreshBundle } from './bundle-refresh.ts'
import { openOperatorKey } from './operator-key.ts'
import type { Session } from './session.ts'

/** The operator of a home, connected to its service. */
export interface ConnectedOperator {
  readonly home: Home
  readonly service: KnownService
  readonly client: ServiceClient
  readonly key: ClientKey
}

/**
 * Connects as the operator of this home, with the trust bundle as it is now: an operator who turns authorities over is
 * not to be cut off by it.
 *
 * @throws HomeError `home-empty`; ClientError `key-absent` where the home has no operator; of the key, its own
 */
export async function connectOperator(session: Session): Promise<ConnectedOperator> {
  const home = await session.openHome()
  const service = await home.loadService()
  const operator = await home.findOperator()
  if (operator === undefined)
    throw new ClientError('key-absent', { expected: `an operator in ${home.directory}` })
  const key = await openOperatorKey(session, home, operator.key, session.environment.tcti)
  session.progress.step(`asking ${service.issuer}`)
  const client = session.connect(service.issuer, service, key)
  await refreshBundle(session, { home, client })
  return { home, service, client, key }
}
