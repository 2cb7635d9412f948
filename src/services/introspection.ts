import {
  verifyAccessToken,
  type AccessTokenClaims,
  type Confirmation,
} from '../core/token/access-token.ts'
import { TokenError } from '../core/token/error.ts'
import type { ClientRecord } from '../ports/records.ts'
import { clientSpiffeId } from './naming.ts'
import type { Service } from './service.ts'

/** RFC 7662 §2.2: of an inactive token nothing is told. */
export type Introspection =
  { readonly active: false } | ({ readonly active: true } & AccessTokenClaims)

/**
 * Says whether a token is good at this moment: signed here, in its time, and its client (and an agent's host) neither
 * revoked nor rekeyed since. The audience is the asker's to compare.
 *
 * @see RFC 7662 §2
 */
export async function introspectToken(service: Service, token: string): Promise<Introspection> {
  const claims = readToken(service, token)
  if (claims === undefined) return { active: false }
  const client = await findHolder(service, claims.cnf)
  const active =
    client !== undefined && isActive(client) && clientSpiffeId(service, client) === claims.sub
  return active ? { active: true, ...claims } : { active: false }
}

function readToken(service: Service, token: string): AccessTokenClaims | undefined {
  const { issuer } = service.settings
  const now = service.clock.now()
  try {
    const { claims } = verifyAccessToken(token, { issuer, keys: service.tokenKeys.published, now })
    return claims
  } catch (cause) {
    if (cause instanceof TokenError) return undefined
    throw cause
  }
}

async function findHolder(service: Service, cnf: Confirmation): Promise<ClientRecord | undefined> {
  if ('jkt' in cnf) return service.store.clients.findByKey(cnf.jkt)
  const certificate = await service.store.certificates.find(cnf['x5t#S256'])
  if (certificate?.status !== 'issued') return undefined
  return service.store.clients.findByKey(certificate.jkt)
}

function isActive(client: ClientRecord): boolean {
  if (client.kind === 'operator') return client.operator.status === 'active'
  if (client.host.status !== 'active') return false
  return client.kind === 'host' || client.agent.status === 'active'
}
