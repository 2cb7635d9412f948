import { Answer } from './answer.ts'
import { importJwk } from '../core/jose/jwk.ts'
import { readCertificateChain } from './certificate-chain.ts'
import { parseKeyChallenge } from './challenge.ts'
import { attestationFiles, type EnrolledHost } from './enroll.ts'
import { hostFiles, type Home } from './home.ts'
import { silent, type Progress } from './progress.ts'
import type { ServiceClient } from './service-client.ts'
import { claimedToken, collectTokenEvidence } from './token-evidence.ts'
import type { TokenKey, Voucher } from './token-key.ts'

/** What the enrolment of a host with an HSM needs. */
export interface TokenEnrollRequest {
  /** A client without a key: the evidence is the authentication. */
  readonly client: ServiceClient
  /** What people call the host. */
  readonly name: string
  readonly home: Home
  /** The host's own key. */
  readonly key: TokenKey
  /** How the home remembers the key: a `pkcs11:` URI. */
  readonly keyUri: string
  readonly voucher: Voucher
  readonly progress?: Progress | undefined
}

/**
 * Enrols this machine by a key in its HSM: names the token, answers the challenge with the key and what vouches for it,
 * and keeps certificate and verdict in the home. What the service refuses is a RemoteError with the checks.
 *
 * @throws AttesterError, Pkcs11Error, ClientError, RemoteError, HomeError
 * @see RFC 9334 §7, §8.1
 */
export async function enrollTokenHost(request: TokenEnrollRequest): Promise<EnrolledHost> {
  const { client, home, key, name, progress = silent } = request
  const service = { issuer: client.issuer, root: await client.root() }
  // A home of another service is refused before anything is sent.
  if ((await home.findService()) !== undefined) await home.saveService(service)
  progress('asking for a challenge')
  const { id, body } = await answerChallenge(request)
  progress('sending the evidence')
  const answer = new Answer(
    await client.request('POST', `/v1/enrollments/${id}/evidence`, body),
    'enrolment',
  )
  const known = answer.within('host')
  const host: EnrolledHost = {
    id: known.id('id'),
    spiffeId: known.text('spiffeId'),
    name,
    ...hostFiles,
    certificateChain: readCertificateChain(answer, importJwk(key.jwk)),
    attestationResult: answer.raw('attestationResult'),
    ear: answer.text('ear'),
    notes: [],
  }
  await home.saveService(service)
  await saveHost(home, host, request.keyUri)
  return host
}

async function answerChallenge({
  client,
  name,
  key,
  voucher,
}: TokenEnrollRequest): Promise<{ id: string; body: object }> {
  const { format } = voucher
  const vendor = format === 'hsm-attested' ? voucher.vendor : ''
  const hsm = { format, vendor, token: await claimedToken(key, voucher) }
  const answer = await client.request('POST', '/v1/enrollments', { name, hsm })
  const { id, nonce, audience } = parseKeyChallenge(answer, client.issuer)
  const context = { purpose: 'host', audience, contextId: id, nonce } as const
  return { id, body: await collectTokenEvidence(key, voucher, context) }
}

/** The key first and who it is last: a home that names a host has all that belongs to it. */
async function saveHost(home: Home, host: EnrolledHost, keyUri: string): Promise<void> {
  const { id, spiffeId, name, keyFile, certificateFile, certificateChain, ear } = host
  await home.writeText(keyFile, `${keyUri}\n`)
  await home.writeText(certificateFile, certificateChain.join(''))
  await home.writeText(attestationFiles.ear, `${ear}\n`)
  await home.saveHost({ id, spiffeId, name, keyFile, certificateFile })
}
