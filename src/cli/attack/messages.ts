import {
  answerChallenge,
  proveKey,
  proveRenewal,
  type AnswerEdit,
  type ChallengeToAnswer,
} from '../../../swtpm/emulated/answer.ts'
import type { EmulatedTpm } from '../../../swtpm/emulated/emulated-tpm.ts'
import type { EmulatedKey } from '../../../swtpm/emulated/key.ts'
import { Answer } from '../../attester/answer.ts'
import type { ServiceClient } from '../../attester/service-client.ts'
import { encodeBase64url } from '../../core/bytes/base64url.ts'
import type { AttackWorld } from './world.ts'

/** What a forger changes in the first message of an enrolment. */
export interface RequestEdit {
  readonly certificate?: Uint8Array
  readonly endorsementPublic?: Uint8Array
  readonly attestationPublic?: Uint8Array
  readonly chain?: readonly Uint8Array[]
}

/** The first message: both keys. Gives the challenge. */
export async function askForChallenge(
  client: ServiceClient,
  tpm: EmulatedTpm,
  name: string,
  edit: RequestEdit = {},
): Promise<ChallengeToAnswer> {
  const chain = edit.chain ?? [tpm.manufacturer.issuer.certificate]
  const answer = await client.request('POST', '/v1/enrollments', {
    name,
    endorsementKey: {
      public: encodeBase64url(edit.endorsementPublic ?? tpm.endorsementKey.public),
      certificate: encodeBase64url(edit.certificate ?? tpm.endorsementCertificate),
      chain: chain.map(encodeBase64url),
    },
    attestationKey: {
      public: encodeBase64url(edit.attestationPublic ?? tpm.attestationKey.public),
    },
  })
  return readChallenge(answer)
}

function readChallenge(value: unknown): ChallengeToAnswer {
  const answer = new Answer(value, 'challenge')
  const sha256 = answer.within('pcrSelection').list('sha256', Number)
  return {
    id: answer.id('id'),
    audience: answer.text('audience'),
    nonce: answer.octets('nonce'),
    credentialBlob: answer.octets('credentialBlob'),
    encryptedSecret: answer.octets('encryptedSecret'),
    pcrSelection: { sha256 },
  }
}

/** The second message: evidence. Gives the id of the host that was let in, which is revoked at the end. */
export async function sendEvidence(
  world: Pick<AttackWorld, 'remember'>,
  client: ServiceClient,
  id: string,
  body: unknown,
): Promise<string> {
  const answer = await client.request('POST', `/v1/enrollments/${id}/evidence`, body)
  const hostId = new Answer(answer, 'enrolment').within('host').id('id')
  world.remember(hostId)
  return hostId
}

/** An answer to a challenge as JSON, with the logs of the machine or others, and the key that it proves. */
export function evidenceBody(
  tpm: EmulatedTpm,
  challenge: ChallengeToAnswer,
  edit?: AnswerEdit,
  logs: EmulatedTpm['logs'] = tpm.logs,
): { readonly body: unknown; readonly key: EmulatedKey } {
  const { key, ...answer } = answerChallenge(tpm, challenge, edit)
  return { body: encodeBytes({ ...answer, ...logs }), key }
}

/** A challenge for the key of an agent. */
export interface AgentChallenge {
  readonly agentId: string
  readonly id: string
  readonly audience: string
  readonly nonce: Uint8Array
}

/** Creates an agent; gives the challenge for its key. */
export async function createAgent(host: ServiceClient, className: string): Promise<AgentChallenge> {
  const answer = new Answer(await host.call('POST', '/v1/agents', { class: className }), 'agent')
  return readAgentChallenge(answer.within('agent').id('id'), answer.within('challenge'))
}

/** A fresh challenge for another key of an agent. */
export async function challengeAgent(
  host: ServiceClient,
  agentId: string,
): Promise<AgentChallenge> {
  const answer = await host.call('POST', `/v1/agents/${agentId}/challenge`)
  return readAgentChallenge(agentId, new Answer(answer, 'challenge'))
}

function readAgentChallenge(agentId: string, answer: Answer): AgentChallenge {
  const [id, audience, nonce] = [answer.id('id'), answer.text('audience'), answer.octets('nonce')]
  return { agentId, id, audience, nonce }
}

/** Proves a key of an agent; gives the key. */
export async function proveAgentKey(
  host: ServiceClient,
  tpm: EmulatedTpm,
  challenge: AgentChallenge,
  edit?: AnswerEdit,
): Promise<EmulatedKey> {
  const { key, csr, subjectKey } = proveKey(tpm, challenge.agentId, challenge, edit)
  await host.call('POST', `/v1/agents/${challenge.agentId}/credentials`, {
    csr: encodeBase64url(csr),
    evidence: { challenge: challenge.id, subjectKey: encodeBytes(subjectKey) },
  })
  return key
}

/** Who renews: its id in a path, its client and its key. */
export interface RenewingAgent {
  readonly agentId: string
  readonly client: ServiceClient
  readonly key: EmulatedKey
}

/** A fresh challenge for the key that an agent has. */
export async function challengeRenewal({
  agentId,
  client,
}: Pick<RenewingAgent, 'agentId' | 'client'>): Promise<AgentChallenge> {
  const answer = await client.call('POST', `/v1/agents/${agentId}/renewal-challenge`)
  return readAgentChallenge(agentId, new Answer(answer, 'challenge'))
}

/** Renews the certificate of an agent; gives the answer. */
export async function renewAgent(
  agent: RenewingAgent,
  tpm: EmulatedTpm,
  edit?: AnswerEdit,
): Promise<unknown> {
  const { agentId: id, client, key: tpmKey } = agent
  const challenge = await challengeRenewal(agent)
  const { csr, subjectKey } = proveRenewal(tpm, { id, tpmKey }, challenge, edit)
  return await client.call('POST', `/v1/agents/${id}/credentials`, {
    csr: encodeBase64url(csr),
    renewal: { challenge: challenge.id, subjectKey: encodeBytes(subjectKey) },
  })
}

/** Bytes anywhere in a structure as base64url. */
function encodeBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return encodeBase64url(value)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, encodeBytes(part)]))
}
