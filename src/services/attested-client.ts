import { verifyAttestationPop, verifyClientAttestation } from '../core/token/client-attestation.ts'
import type { ClientAttestation } from '../core/token/client-attestation.ts'
import { TokenError } from '../core/token/error.ts'
import { isChallenge } from '../core/token/nonce.ts'
import type { ClientRecord } from '../ports/records.ts'
import type { AuthenticatedClient, ClientCredentials, ReplayKey } from './client-authentication.ts'
import { clientSpiffeId } from './naming.ts'
import { verifyCombinedProof, verifyRequestProof } from './request-proof.ts'
import type { Service } from './service.ts'

/**
 * `attest_jwt_client_auth_dpop`: a client attestation or WIT-SVID of this service, and one proof by its key that is the
 * DPoP proof of the token as well.
 *
 * @throws TokenError `client-attestation-…`, `dpop-…`
 * @see draft-ietf-oauth-attestation-based-client-auth-10 §5.2, §7.3
 */
export async function authenticateCombined(
  service: Service,
  credentials: ClientCredentials,
): Promise<AuthenticatedClient> {
  const attestation = readAttestation(service, credentials)
  if (credentials.dpop === undefined)
    throw new TokenError('client-attestation-malformed', { expected: 'a proof of possession' })
  const proof = verifyCombinedProof(service, credentials, credentials.dpop)
  if (proof.key.jkt !== attestation.key.jkt) throw new TokenError('client-attestation-key')
  const client = await findAttested(service, attestation)
  return attested(service, client, [proof.replay], 'dpop-replayed')
}

/**
 * `attest_jwt_client_auth`: a client attestation and the proof made for it, over a challenge of this service. A DPoP
 * proof beside it must be by the same key: a token is bound to what was attested and to nothing else.
 *
 * @throws TokenError `client-attestation-…`, `dpop-…`
 * @see draft-ietf-oauth-attestation-based-client-auth-10 §5.1, §7.2
 */
export async function authenticateByPop(
  service: Service,
  credentials: ClientCredentials,
): Promise<AuthenticatedClient> {
  const now = service.clock.now()
  const attestation = readAttestation(service, credentials)
  const replay = verifyAttestationPop(credentials.attestationPop ?? '', {
    issuer: service.settings.issuer,
    attestation,
    isChallenge: challenge => isChallenge(service.nonceKey, challenge, now),
    now,
  })
  const proofs = proofBeside(service, credentials, attestation)
  const client = await findAttested(service, attestation)
  return attested(service, client, [replay, ...proofs], 'client-attestation-replayed')
}

function proofBeside(
  service: Service,
  credentials: ClientCredentials,
  attestation: ClientAttestation,
): ReplayKey[] {
  if (credentials.dpop === undefined) return []
  const proof = verifyRequestProof(service, credentials, credentials.dpop)
  if (proof.key.jkt !== attestation.key.jkt) throw new TokenError('client-attestation-key')
  return [proof.replay]
}

function readAttestation(service: Service, { attestation }: ClientCredentials): ClientAttestation {
  if (attestation === undefined)
    throw new TokenError('client-attestation-malformed', { expected: 'OAuth-Client-Attestation' })
  const keys = service.tokenKeys.published
  return verifyClientAttestation(attestation, { keys, now: service.clock.now() })
}

/** The client whose key it is now, and whose name at this server the attestation must say. */
async function findAttested(
  service: Service,
  { sub, key }: ClientAttestation,
): Promise<ClientRecord> {
  const client = await service.clients.find(key.jkt, service.clock.now())
  if (client === undefined || clientSpiffeId(service, client) !== sub)
    throw new TokenError('client-attestation-key')
  return client
}

function attested(
  service: Service,
  client: ClientRecord,
  replayKeys: readonly ReplayKey[],
  replayed: AuthenticatedClient['replayed'],
): AuthenticatedClient {
  return {
    client,
    id: clientSpiffeId(service, client),
    confirmation: { jkt: client.key.jkt },
    replayKeys,
    replayed,
    notAfter: Infinity,
  }
}
