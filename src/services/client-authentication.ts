import type { CodedError } from '../core/coded-error.ts'
import type { Confirmation } from '../core/token/access-token.ts'
import { jwtBearer, verifyClientAssertion } from '../core/token/client-assertion.ts'
import { verifyDpopProof, type DpopProof } from '../core/token/dpop-proof.ts'
import { TokenError } from '../core/token/error.ts'
import { isNonce } from '../core/token/nonce.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import type { CertificateRecord, ClientRecord } from '../ports/records.ts'
import { ServiceError } from './error.ts'
import { clientSpiffeId } from './naming.ts'
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
}

/** A client that proved its key with this very request; the replay keys are still to be consumed. */
export interface AuthenticatedClient {
  readonly client: ClientRecord
  readonly id: string
  readonly confirmation: Confirmation
  readonly replayKeys: readonly { readonly key: string; readonly expiresAt: number }[]
  /** Nothing issued on this authentication may live longer, Unix milliseconds. */
  readonly notAfter: number
}

/**
 * Authenticates by the attested key: the DPoP proof alone, the proof and a `private_key_jwt` assertion by the same
 * key, or the mutual TLS certificate of that key. There is no other way in.
 *
 * @throws OAuthError `invalid_client`, `invalid_dpop_proof`, `use_dpop_nonce`, `invalid_request`
 * @see RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2, RFC 9449 §5
 */
export async function authenticateClient(
  service: Service,
  credentials: ClientCredentials,
): Promise<AuthenticatedClient> {
  if (credentials.dpop !== undefined)
    return authenticateByProof(service, credentials, credentials.dpop)
  if (credentials.certificateThumbprint !== undefined) {
    return authenticateByCertificate(service, credentials, credentials.certificateThumbprint)
  }
  throw asOAuthError(new TokenError('dpop-missing'))
}

async function authenticateByProof(
  service: Service,
  credentials: ClientCredentials,
  dpop: string,
): Promise<AuthenticatedClient> {
  const proof = verifyRequestProof(service, credentials, dpop)
  const client = await service.clients.find(proof.key.jkt, service.clock.now())
  if (client === undefined)
    throw invalidClient('The key of this DPoP proof is not registered to any client.')
  const id = clientSpiffeId(service, client)
  checkClientId(credentials.form, id)
  const assertion = verifyAssertion(service, credentials.form, id, proof)
  return {
    client,
    id,
    confirmation: { jkt: proof.key.jkt },
    replayKeys: assertion === undefined ? [proof.replay] : [proof.replay, assertion],
    notAfter: Infinity,
  }
}

function verifyRequestProof(
  service: Service,
  credentials: ClientCredentials,
  dpop: string,
): DpopProof {
  const now = service.clock.now()
  try {
    return verifyDpopProof(dpop, service.proofKeys, {
      method: credentials.method,
      url: credentials.url,
      now,
      isNonce: nonce => isNonce(service.nonceKey, nonce, now),
    })
  } catch (cause) {
    if (cause instanceof TokenError) throw asOAuthError(cause)
    throw cause
  }
}

function verifyAssertion(
  service: Service,
  form: Readonly<Record<string, string>>,
  id: string,
  proof: DpopProof,
): { readonly key: string; readonly expiresAt: number } | undefined {
  const { client_assertion: assertion, client_assertion_type: type } = form
  if (assertion === undefined && type === undefined) return undefined
  if (assertion === undefined || type !== jwtBearer) {
    throw new OAuthError(
      'invalid_request',
      `A client assertion goes with client_assertion_type ${jwtBearer}.`,
    )
  }
  try {
    return verifyClientAssertion(assertion, {
      clientId: id,
      issuer: service.settings.issuer,
      key: proof.key,
      now: service.clock.now(),
    })
  } catch (cause) {
    if (cause instanceof TokenError) throw asOAuthError(cause)
    throw cause
  }
}

async function authenticateByCertificate(
  service: Service,
  credentials: ClientCredentials,
  thumbprint: string,
): Promise<AuthenticatedClient> {
  const { certificate, client } = await findCertificateHolder(service, thumbprint)
  const id = clientSpiffeId(service, client)
  checkClientId(credentials.form, id)
  return {
    client,
    id,
    confirmation: { 'x5t#S256': thumbprint },
    replayKeys: [],
    notAfter: certificate.notAfter,
  }
}

/**
 * The client behind a TLS client certificate: one that this service issued, that is in its time and not revoked.
 * The handshake has proven the key.
 *
 * @throws OAuthError `invalid_client`
 */
export async function findCertificateHolder(
  service: Service,
  thumbprint: string,
): Promise<{ certificate: CertificateRecord; client: ClientRecord }> {
  const certificate = await service.store.certificates.find(thumbprint)
  const now = service.clock.now()
  const valid =
    certificate?.status === 'issued' && certificate.notBefore <= now && certificate.notAfter > now
  const client = valid ? await service.clients.find(certificate.jkt, now) : undefined
  if (certificate === undefined || client === undefined)
    throw asOAuthError(new ServiceError('certificate-unknown'))
  return { certificate, client }
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

/** Which of OAuth's codes a refused proof, assertion or certificate answers with. */
export function asOAuthError(reason: CodedError): OAuthError {
  if (reason.code === 'dpop-nonce') return new OAuthError('use_dpop_nonce', reason.message, reason)
  if (reason.code.startsWith('dpop-'))
    return new OAuthError('invalid_dpop_proof', reason.message, reason)
  return new OAuthError('invalid_client', reason.message, reason)
}
