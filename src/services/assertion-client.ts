import { parseSpiffeId, type SpiffeId } from '../core/spiffe/spiffe-id.ts'
import { claimedClient, verifyClientAssertion } from '../core/token/client-assertion.ts'
import { TokenError } from '../core/token/error.ts'
import type { ProofKey } from '../core/token/proof-key.ts'
import type { ClientRecord } from '../ports/records.ts'
import { clientSpiffeId } from './naming.ts'
import type { Service } from './service.ts'

/**
 * The client that an assertion comes from, by the key that is on record for the client it names. Whether there is no
 * such client or another key signed is not told apart: names are not to be tried out here.
 *
 * @throws TokenError `assertion-…`
 */
export async function authenticateAssertion(
  service: Service,
  assertion: string,
): Promise<{ client: ClientRecord; replay: { key: string; expiresAt: number } }> {
  const client = await findNamedClient(service, claimedClient(assertion))
  if (client === undefined) throw new TokenError('assertion-signature')
  const key = service.proofKeys.importOnce(client.key)
  return { client, replay: verifyAssertion(service, assertion, client, key) }
}

/**
 * Verifies an assertion of a client by a key of it, and gives its replay key.
 *
 * @throws TokenError `assertion-…`
 */
export function verifyAssertion(
  service: Service,
  assertion: string,
  client: ClientRecord,
  key: ProofKey,
): { key: string; expiresAt: number } {
  return verifyClientAssertion(assertion, {
    clientId: clientSpiffeId(service, client),
    issuer: service.settings.issuer,
    key,
    now: service.clock.now(),
  })
}

/** The client of a SPIFFE ID in this trust domain; its name is still to be held against the text. */
export async function findNamedClient(
  service: Service,
  name: string,
): Promise<ClientRecord | undefined> {
  const id = readSpiffeId(name)
  if (id === undefined || id.trustDomain !== service.settings.trustDomain) return undefined
  const jkt = await findKeyOf(service, id.segments)
  return jkt === undefined ? undefined : await service.clients.find(jkt, service.clock.now())
}

function readSpiffeId(name: string): SpiffeId | undefined {
  try {
    return parseSpiffeId(name)
  } catch {
    return undefined
  }
}

/** Thumbprint of the key on record for a client of that path. The name is held against the client once it is found. */
async function findKeyOf(
  service: Service,
  segments: readonly string[],
): Promise<string | undefined> {
  const [kind, ...rest] = segments
  const id = rest.at(-1) ?? ''
  const { hosts, agents, operators } = service.store
  if (kind === 'host') return (await hosts.find(id))?.jkt
  if (kind === 'agent') return (await agents.find(id))?.jkt ?? undefined
  if (kind === 'operator') return (await operators.list()).find(row => row.id === id)?.jkt
  return undefined
}
