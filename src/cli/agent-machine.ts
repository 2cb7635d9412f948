import type { ClientKey } from '../attester/client-key.ts'
import { AttesterError } from '../attester/error.ts'
import { agentAttestationFile, type AgentIdentity, type Home } from '../attester/home.ts'
import type { ServiceClient } from '../attester/service-client.ts'
import { attestationPlace } from './attestation-place.ts'
import { refreshHostBundle } from './bundle-refresh.ts'
import { CommandError } from './command-error.ts'
import { openKeyOfFile, type TpmOptions } from './host-machine.ts'
import type { Session } from './session.ts'

/** An agent of this machine, speaking for itself. */
export interface ConnectedAgent {
  readonly home: Home
  readonly agent: AgentIdentity
  readonly key: ClientKey
  readonly client: ServiceClient
}

/**
 * Connects as an agent whose key is in the TPM or the token of this machine, with the trust bundle as it is now.
 *
 * @param id may be left out where there is one agent
 * @throws HomeError `home-empty`; CommandError `agent-unclear`, `agent-not-local`; AttesterError `tpm-…`
 */
export async function connectAgent(
  session: Session,
  id: string | undefined,
  options: TpmOptions,
): Promise<ConnectedAgent> {
  const home = await session.openHome()
  const service = await home.loadService()
  const agent = await findLocalAgent(home, id)
  const key = await openKeyOfFile(session, await home.readText(agent.keyFile), options)
  const place = attestationPlace(session, home, agentAttestationFile(agent.id))
  const client = session.connect(service.issuer, service, key, place)
  await refreshHostBundle(session, { home, client }, options)
  return { home, agent, key, client }
}

/** The agent of this home that is meant. */
export async function findLocalAgent(home: Home, id: string | undefined): Promise<AgentIdentity> {
  if (id !== undefined) {
    const agent = await home.findAgent(id)
    if (agent === undefined) throw new CommandError('agent-not-local', { found: id.slice(0, 64) })
    return agent
  }
  const [only, ...others] = await home.listAgents()
  if (only === undefined)
    throw new AttesterError('not-enrolled', { expected: 'an agent', found: home.directory })
  if (others.length > 0)
    throw new CommandError('agent-unclear', { found: `${others.length + 1} agents` })
  return only
}
