import { verifyAccessToken, type AccessTokenClaims } from '../core/token/access-token.ts'
import type { Confirmation } from '../core/token/confirmation.ts'
import type { ParentToken } from '../core/token/delegation.ts'
import type { ClientRecord } from '../ports/records.ts'
import { clientSpiffeId } from './naming.ts'
import type { Service } from './service.ts'

/**
 * The claims of a token that this service issued and whose time is not over, for whomever it is meant.
 *
 * @throws TokenError `token-…`
 */
export function readIssuedToken(service: Service, token: string): AccessTokenClaims {
  const { settings, tokenKeys, clock } = service
  const expected = { issuer: settings.issuer, keys: tokenKeys.published, now: clock.now() }
  return verifyAccessToken(token, expected).claims
}

/**
 * Who holds a verified token and each token that it descends from, itself first; undefined once any of the tokens was
 * taken back, or any holder (or an agent's host) was revoked or rekeyed since. Reads the store afresh.
 */
export async function findHolders(
  service: Service,
  claims: AccessTokenClaims,
): Promise<readonly [ClientRecord, ...ClientRecord[]] | undefined> {
  const own = await findHolder(service, claims)
  if (own === undefined) return undefined
  const holders: [ClientRecord, ...ClientRecord[]] = [own]
  for (const parent of claims.parents ?? []) {
    const holder = await findHolder(service, parent)
    if (holder === undefined) return undefined
    holders.push(holder)
  }
  return holders
}

async function findHolder(
  service: Service,
  { client_id: id, jti, cnf }: ParentToken,
): Promise<ClientRecord | undefined> {
  if (await service.store.tokens.isRevoked(jti)) return undefined
  const client = await findByConfirmation(service, cnf)
  const stands = client !== undefined && isActive(client) && clientSpiffeId(service, client) === id
  return stands ? client : undefined
}

async function findByConfirmation(
  service: Service,
  cnf: Confirmation,
): Promise<ClientRecord | undefined> {
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
