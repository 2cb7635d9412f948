import type { KeyObject } from 'node:crypto'
import type { Tpm } from '../../native/index.ts'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { Answer } from './answer.ts'
import { readCertificateChain } from './certificate-chain.ts'
import { parseKeyChallenge, type KeyChallenge } from './challenge.ts'
import { withEnrolledKey } from './enrolled-attestation-key.ts'
import { AttesterError } from './error.ts'
import {
  agentFiles,
  vendorWordFileOf,
  type AgentIdentity,
  type Home,
  type HostIdentity,
} from './home.ts'
import { silent, type Progress } from './progress.ts'
import type { Credential } from './renewal.ts'
import type { ServiceClient } from './service-client.ts'
import { parseSigningKey } from './signing-key.ts'
import { createSubjectKey, subjectKeyBody } from './subject-key.ts'

/** What the host needs to give one of its agents a key, whatever its hardware. */
interface AgentKeyBasis {
  /** A client with the host's key. */
  readonly client: ServiceClient
  readonly home: Home
  readonly progress?: Progress | undefined
}

/** A key of an agent that its hardware has proven. */
export interface ProvenAgentKey {
  /** Body of the request for its first credential, without the challenge. */
  readonly csr: string
  readonly evidence: object
  /** What the key file holds: TSS2 PRIVATE KEY, or a `pkcs11:` URI. */
  readonly file: string
  readonly publicKey: KeyObject
  /** PEM of what its vendor attested, kept for renewals; of one level of HSM keys alone. */
  readonly attestation?: string | undefined
}

/** A host whose agents' keys lie in a PKCS#11 token. */
export interface TokenAgentRequest extends AgentKeyBasis {
  /** Makes a key for an agent and has it proven for the challenge. */
  readonly proveTokenKey: (agentId: string, challenge: KeyChallenge) => Promise<ProvenAgentKey>
}

/** How a host gives its agents keys. */
export type AgentKeyRequest = TpmAgentRequest | TokenAgentRequest

/** A host whose agents' keys lie in its TPM. */
export interface TpmAgentRequest extends AgentKeyBasis {
  readonly tpm: Tpm
  /** The authValues that the TPM's owner has set, if any. */
  readonly endorsementAuth?: Uint8Array | undefined
  readonly ownerAuth?: Uint8Array | undefined
}

/** An agent with its first, or a new, credential. */
export interface CredentialedAgent extends AgentIdentity, Credential {}

/**
 * Creates an agent of a class on this host: its key is made in the TPM, certified for the challenge, and proven.
 *
 * @throws AttesterError `not-enrolled`, `attestation-key-differs` and of its steps; Tpm2Error, ClientError, RemoteError
 */
export async function createAgent(
  request: AgentKeyRequest & { readonly className: string },
): Promise<CredentialedAgent> {
  await requireHost(request.home)
  const { client, className, progress = silent } = request
  progress('registering the agent')
  const answer = new Answer(await client.call('POST', '/v1/agents', { class: className }), 'agent')
  const challenge = parseKeyChallenge(answer.raw('challenge'), client.issuer)
  return await proveKey(request, answer.within('agent').id('id'), challenge)
}

/**
 * Gives an agent of this host a new key; the one before it is of no use from then on.
 *
 * @throws as {@link createAgent}
 */
export async function rekeyAgent(
  request: AgentKeyRequest & { readonly agentId: string },
): Promise<CredentialedAgent> {
  await requireHost(request.home)
  const { client, agentId } = request
  const answer = await client.call('POST', `/v1/agents/${encodeURIComponent(agentId)}/challenge`)
  return await proveKey(request, agentId, parseKeyChallenge(answer, client.issuer))
}

/** The host of this home. Throws AttesterError `not-enrolled`. */
export async function requireHost(home: Home): Promise<HostIdentity> {
  const host = await home.findHost()
  if (host === undefined) throw new AttesterError('not-enrolled', { found: home.directory })
  return host
}

async function proveKey(
  request: AgentKeyRequest,
  agentId: string,
  challenge: KeyChallenge,
): Promise<CredentialedAgent> {
  const { client, home, progress = silent } = request
  progress('creating the key')
  const key =
    'tpm' in request
      ? await proveTpmKey(request, agentId, challenge)
      : await request.proveTokenKey(agentId, challenge)
  progress('proving the key')
  const answer = await client.call('POST', `/v1/agents/${agentId}/credentials`, {
    csr: key.csr,
    evidence: { challenge: challenge.id, ...key.evidence },
  })
  const agent = readAgent(answer, agentId, key)
  const { id, spiffeId, className, keyFile, certificateFile } = agent
  await home.writeText(keyFile, key.file)
  if (key.attestation !== undefined)
    await home.writeText(vendorWordFileOf(keyFile), key.attestation)
  await home.writeText(certificateFile, agent.certificateChain.join(''))
  await home.saveAgent({ id, spiffeId, className, keyFile, certificateFile })
  return agent
}

async function proveTpmKey(
  request: TpmAgentRequest,
  agentId: string,
  challenge: KeyChallenge,
): Promise<ProvenAgentKey> {
  const { nonce, audience } = challenge
  const { tpm, ownerAuth } = request
  const context = { purpose: 'agent', audience, contextId: agentId, nonce } as const
  const key = await withEnrolledKey(request, async attestationKey =>
    createSubjectKey(tpm, { attestationKey, context, ownerAuth }),
  )
  return {
    csr: encodeBase64url(key.csr),
    evidence: { subjectKey: subjectKeyBody(key) },
    file: key.pem,
    publicKey: parseSigningKey(key.public).key,
  }
}

function readAgent(value: unknown, agentId: string, key: ProvenAgentKey): CredentialedAgent {
  const answer = new Answer(value, 'credential')
  const agent = answer.within('agent')
  return {
    id: agentId,
    spiffeId: agent.text('spiffeId'),
    className: agent.text('className'),
    ...agentFiles(agentId),
    serial: answer.text('serial'),
    notAfter: answer.number('notAfter'),
    certificateChain: readCertificateChain(answer, key.publicKey),
  }
}
