import { CodedError } from '../core/coded-error.ts'
import type { Confirmation } from '../core/token/access-token.ts'
import { verifyDpopProof, type DpopProof } from '../core/token/dpop-proof.ts'
import { TokenError } from '../core/token/error.ts'
import { isNonce } from '../core/token/nonce.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import type { ClientRecord } from '../ports/records.ts'
import { authenticateAssertion, readAssertion, verifyAssertion } from './assertion-client.ts'
import { findCertificateHolder } from './certificate-holder.ts'
import { clientSpiffeId } from './naming.ts'
import { asOAuthError } from './oauth-reason.ts'
import type { Service } from './service.ts'

/** What a request to an OAuth endpoint carries that can authenticate its sender. */
export interface ClientCredentials {
  readonly method: string
  /** The endpoint as the service names it. */
  readonly url: string
  readonly form: Readonly<Record<string, string>>
  readonly dpop: string | undefined
  /** base64url SHA-256 of the TLS client certificate, where the connection has one. */
  readonly certificateThumbprint: string | undefined
  /** Network address of the connection; policies may ask for it. */
  readonly sourceAddress?: string | undefined
}

/** A client that proved its key with this very request; the replay keys are still to be consumed. */
export interface AuthenticatedClient {
  readonly client: ClientRecord
  readonly id: string
  /** What the token will be bound to; there is no token without. */
  readonly confirmation: Confirmation
  readonly replayKeys: readonly ReplayKey[]
  /** What to say when a replay key was consumed before. */
  readonly replayed: 'dpop-replayed' | 'assertion-replayed'
  /** Nothing issued on this authentication may live longer, Unix milliseconds. */
  readonly notAfter: number
}

interface ReplayKey {
  readonly key: string
  readonly expiresAt: number
}

/**
 * Authenticates a client by its attested key, in one of the ways in which that key can sign. Whatever the way, the
 * token is bound: to the certificate where mutual TLS authenticated, else to the key.
 *
 * | request carries | authenticated by | token bound by |
 * |---|---|---|
 * | DPoP proof | the proof | `jkt` |
 * | DPoP proof and `private_key_jwt` | both, by the one key | `jkt` |
 * | client certificate | the handshake | `x5t#S256` |
 * | client certificate and `private_key_jwt` | both, of the one client | `x5t#S256` |
 * | `private_key_jwt` | the assertion | `jkt` of the key that signed it: without proofs by that key it is of no use |
 *
 * @throws OAuthError `invalid_client`, `invalid_dpop_proof`, `use_dpop_nonce`, `invalid_request`
 * @see RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2, RFC 9449 §5
 */
export async function authenticateClient(
  service: Service,
  credentials: ClientCredentials,
): Promise<AuthenticatedClient> {
  const { dpop, certificateThumbprint: thumbprint, form } = credentials
  const assertion = readAssertion(form)
  try {
    const caller = await (dpop !== undefined
      ? authenticateByProof(service, credentials, dpop, assertion)
      : thumbprint !== undefined
        ? authenticateByCertificate(service, thumbprint, assertion)
        : authenticateByAssertion(service, assertion))
    checkClientId(form, caller.id)
    return caller
  } catch (cause) {
    throw cause instanceof CodedError && isRefusal(cause) ? asOAuthError(cause) : cause
  }
}

/** What a store cannot do now is not the client's failure to authenticate. */
function isRefusal(cause: CodedError): boolean {
  return !cause.code.startsWith('store-')
}

async function authenticateByProof(
  service: Service,
  credentials: ClientCredentials,
  dpop: string,
  assertion: string | undefined,
): Promise<AuthenticatedClient> {
  const proof = verifyRequestProof(service, credentials, dpop)
  const client = await service.clients.find(proof.key.jkt, service.clock.now())
  if (client === undefined)
    throw invalidClient('The key of this DPoP proof is not registered to any client.')
  const replay =
    assertion === undefined ? [] : [verifyAssertion(service, assertion, client, proof.key)]
  return {
    client,
    id: clientSpiffeId(service, client),
    confirmation: { jkt: proof.key.jkt },
    replayKeys: [proof.replay, ...replay],
    replayed: 'dpop-replayed',
    notAfter: Infinity,
  }
}

function verifyRequestProof(
  service: Service,
  credentials: ClientCredentials,
  dpop: string,
): DpopProof {
  const now = service.clock.now()
  return verifyDpopProof(dpop, service.proofKeys, {
    method: credentials.method,
    url: credentials.url,
    now,
    isNonce: nonce => isNonce(service.nonceKey, nonce, now),
  })
}

async function authenticateByCertificate(
  service: Service,
  thumbprint: string,
  assertion: string | undefined,
): Promise<AuthenticatedClient> {
  const { certificate, client } = await findCertificateHolder(service, thumbprint)
  const key = service.proofKeys.importOnce(client.key)
  return {
    client,
    id: clientSpiffeId(service, client),
    confirmation: { 'x5t#S256': thumbprint },
    replayKeys: assertion === undefined ? [] : [verifyAssertion(service, assertion, client, key)],
    replayed: 'assertion-replayed',
    notAfter: certificate.notAfter,
  }
}

async function authenticateByAssertion(
  service: Service,
  assertion: string | undefined,
): Promise<AuthenticatedClient> {
  if (assertion === undefined) throw new TokenError('dpop-missing')
  const { client, replay } = await authenticateAssertion(service, assertion)
  return {
    client,
    id: clientSpiffeId(service, client),
    confirmation: { jkt: client.key.jkt },
    replayKeys: [replay],
    replayed: 'assertion-replayed',
    notAfter: Infinity,
  }
}

function checkClientId(form: Readonly<Record<string, string>>, id: string): void {
  const claimed = form['client_id']
  if (claimed !== undefined && claimed !== id) {
    throw invalidClient('The client_id names another client than the key that signed.')
  }
}

function invalidClient(description: string): OAuthError {
  return new OAuthError('invalid_client', description)
}
