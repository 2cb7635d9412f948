import { CodedError } from '../core/coded-error.ts'
import type { Confirmation } from '../core/token/confirmation.ts'
import { jwtBearer } from '../core/token/client-assertion.ts'
import { TokenError } from '../core/token/error.ts'
import { jwtSpiffe } from '../core/token/jwt-svid.ts'
import { OAuthError } from '../core/token/oauth-error.ts'
import type { ProofKey } from '../core/token/proof-key.ts'
import type { ClientRecord } from '../ports/records.ts'
import { authenticateAssertion, verifyAssertion } from './assertion-client.ts'
import { authenticateByPop, authenticateCombined } from './attested-client.ts'
import { findCertificateHolder } from './certificate-holder.ts'
import { clientSpiffeId } from './naming.ts'
import { asOAuthError } from './oauth-reason.ts'
import { verifyRequestProof } from './request-proof.ts'
import type { Service } from './service.ts'
import { authenticateByJwtSvid } from './spiffe-client.ts'

/** What a request to an OAuth endpoint carries that can authenticate its sender. */
export interface ClientCredentials {
  readonly method: string
  /** The endpoint as the service names it. */
  readonly url: string
  readonly form: Readonly<Record<string, string>>
  /** Values of `resource`, the one parameter that may come several times. */
  readonly resources?: readonly string[]
  readonly dpop: string | undefined
  /** `OAuth-Client-Attestation`, and its `-PoP`. */
  readonly attestation?: string | undefined
  readonly attestationPop?: string | undefined
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
  readonly replayed: 'dpop-replayed' | 'assertion-replayed' | 'client-attestation-replayed'
  /** Nothing issued on this authentication may live longer, Unix milliseconds. */
  readonly notAfter: number
}

/** What counts once. */
export interface ReplayKey {
  readonly key: string
  readonly expiresAt: number
}

/** One way in which a client shows who it is. */
interface AuthenticationMethod {
  /** As metadata name it (RFC 8414 §2); `none` for the proof alone, which RFC 9449 does not count as a method. */
  readonly name: string
  /** Whether a request is authenticated this way; the first row that says so decides. */
  applies(credentials: ClientCredentials): boolean
  authenticate(service: Service, credentials: ClientCredentials): Promise<AuthenticatedClient>
}

/**
 * All ways, in the order in which they are looked for. Whatever the way, the token is bound to the attested key, or to
 * the certificate of the connection.
 */
export const authenticationMethods: readonly AuthenticationMethod[] = [
  {
    name: 'attest_jwt_client_auth',
    applies: ({ attestationPop }) => attestationPop !== undefined,
    authenticate: authenticateByPop,
  },
  {
    name: 'attest_jwt_client_auth_dpop',
    applies: ({ attestation }) => attestation !== undefined,
    authenticate: authenticateCombined,
  },
  {
    name: 'spiffe_jwt',
    applies: ({ form }) => form['client_assertion_type'] === jwtSpiffe,
    authenticate: authenticateByJwtSvid,
  },
  {
    name: 'none',
    applies: ({ dpop }) => dpop !== undefined,
    authenticate: authenticateByProof,
  },
  {
    name: 'tls_client_auth',
    applies: ({ certificateThumbprint }) => certificateThumbprint !== undefined,
    authenticate: authenticateByCertificate,
  },
  {
    name: 'private_key_jwt',
    applies: () => true,
    authenticate: authenticateByAssertion,
  },
]

/**
 * Authenticates a client by its attested key, in one of the ways in which that key can sign.
 *
 * | request carries | authenticated by | token bound by |
 * |---|---|---|
 * | client attestation or WIT-SVID, and its PoP | both, by the one key | `jkt` |
 * | client attestation or WIT-SVID, and DPoP proof | both, by the one key | `jkt` |
 * | JWT-SVID | the SVID, and what stands beside it | `jkt` of the key on record, or `x5t#S256` |
 * | DPoP proof | the proof | `jkt` |
 * | DPoP proof and `private_key_jwt` | both, by the one key | `jkt` |
 * | client certificate | the handshake | `x5t#S256` |
 * | client certificate and `private_key_jwt` | both, of the one client | `x5t#S256` |
 * | `private_key_jwt` | the assertion | `jkt` of the key that signed it: without proofs by that key it is of no use |
 *
 * @throws OAuthError `invalid_client`, `invalid_dpop_proof`, `use_dpop_nonce`, `invalid_client_attestation`,
 *   `use_attestation_challenge`, `use_fresh_attestation`, `invalid_request`
 * @see RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2, RFC 9449 §5
 */
export async function authenticateClient(
  service: Service,
  credentials: ClientCredentials,
): Promise<AuthenticatedClient> {
  requireAssertionForm(credentials)
  try {
    const caller = await methodOf(credentials).authenticate(service, credentials)
    checkClientId(credentials.form, caller.id)
    return caller
  } catch (cause) {
    throw cause instanceof CodedError && isRefusal(cause) ? asOAuthError(cause) : cause
  }
}

function methodOf(credentials: ClientCredentials): AuthenticationMethod {
  const method = authenticationMethods.find(row => row.applies(credentials))
  if (method === undefined) throw new TypeError('the last method applies to every request')
  return method
}

/** RFC 6749 §2.3: not more than one way at once. RFC 7521 §4.2: an assertion and its type go together. */
function requireAssertionForm({ form, attestation, attestationPop }: ClientCredentials): void {
  const { client_assertion: assertion, client_assertion_type: type } = form
  if (assertion === undefined && type === undefined) return
  if (assertion === undefined || (type !== jwtBearer && type !== jwtSpiffe)) {
    throw new OAuthError(
      'invalid_request',
      `A client assertion goes with client_assertion_type ${jwtBearer} or ${jwtSpiffe}.`,
    )
  }
  if (attestation !== undefined || attestationPop !== undefined)
    throw new OAuthError('invalid_request', 'A client attestation or an assertion, not both.')
}

/** What a store cannot do now is not the client's failure to authenticate. */
function isRefusal(cause: CodedError): boolean {
  return !cause.code.startsWith('store-')
}

async function authenticateByProof(
  service: Service,
  credentials: ClientCredentials,
): Promise<AuthenticatedClient> {
  const proof = verifyRequestProof(service, credentials, credentials.dpop ?? '')
  const client = await service.clients.find(proof.key.jkt, service.clock.now())
  if (client === undefined)
    throw invalidClient('The key of this DPoP proof is not registered to any client.')
  return {
    client,
    id: clientSpiffeId(service, client),
    confirmation: { jkt: proof.key.jkt },
    replayKeys: [proof.replay, ...assertionBeside(service, credentials, client, proof.key)],
    replayed: 'dpop-replayed',
    notAfter: Infinity,
  }
}

function assertionBeside(
  service: Service,
  { form: { client_assertion: assertion } }: ClientCredentials,
  client: ClientRecord,
  key: ProofKey,
): ReplayKey[] {
  return assertion === undefined ? [] : [verifyAssertion(service, assertion, client, key)]
}

async function authenticateByCertificate(
  service: Service,
  credentials: ClientCredentials,
): Promise<AuthenticatedClient> {
  const thumbprint = credentials.certificateThumbprint ?? ''
  const { certificate, client } = await findCertificateHolder(service, thumbprint)
  const key = service.proofKeys.importOnce(client.key)
  return {
    client,
    id: clientSpiffeId(service, client),
    confirmation: { 'x5t#S256': thumbprint },
    replayKeys: assertionBeside(service, credentials, client, key),
    replayed: 'assertion-replayed',
    notAfter: certificate.notAfter,
  }
}

async function authenticateByAssertion(
  service: Service,
  { form: { client_assertion: assertion } }: ClientCredentials,
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
