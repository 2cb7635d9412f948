import type { ServiceClient } from '../../attester/service-client.ts'
import { parseKeyChallenge } from '../../attester/challenge.ts'
import { collectTokenEvidence, type TokenEvidence } from '../../attester/token-evidence.ts'
import type { TokenKey, Voucher } from '../../attester/token-key.ts'
import { decodeBase64url, encodeBase64url } from '../../core/bytes/base64url.ts'
import { hsmProofMessage, type HsmContext } from '../../core/formats/hsm/binding.ts'
import type { HsmToken } from '../../core/formats/hsm/token.ts'
import { hostName } from './flows.ts'
import { createAgent, sendEvidence } from './messages.ts'
import type { AttackWorld } from './world.ts'

/** An honest enrolment of a host with an HSM, and what may be forged in it. */
export interface HsmAttempt {
  /** Which token the host says that it has. */
  readonly token: HsmToken
  readonly key: TokenKey
  readonly voucher: Voucher
  /** What the statement is made for; the challenge that was given where absent. */
  readonly stated?: (context: HsmContext) => HsmContext
  /** What the key proves itself for; the challenge that was given where absent. */
  readonly proven?: (context: HsmContext) => HsmContext
  /** The second message in place of the one that was made. */
  readonly sent?: (body: TokenEvidence) => TokenEvidence
}

/** A host with an HSM that was let in. */
export interface EnrolledHsmHost {
  readonly client: ServiceClient
  /** The second message, and what it answered. */
  readonly body: TokenEvidence
  readonly enrollmentId: string
}

/** Both messages of an enrolment. */
export async function enrollHsm(world: AttackWorld, attempt: HsmAttempt): Promise<EnrolledHsmHost> {
  const { key, voucher, token } = attempt
  const open = world.setup.connect()
  const vendor = voucher.format === 'hsm-attested' ? voucher.vendor : ''
  const hsm = { format: voucher.format, vendor, token }
  const asked = await open.request('POST', '/v1/enrollments', { name: hostName(), hsm })
  const { id, nonce, audience } = parseKeyChallenge(asked, open.issuer)
  const body = await answer(attempt, { purpose: 'host', audience, contextId: id, nonce })
  await sendEvidence(world, open, id, body)
  return { client: world.setup.connect(key), body, enrollmentId: id }
}

/** Creates an agent on a host and proves a key of a token for it. */
export async function enrollHsmAgent(
  world: AttackWorld,
  host: ServiceClient,
  attempt: HsmAttempt,
): Promise<unknown> {
  const { agentId, id, audience, nonce } = await createAgent(host, world.className)
  const context = { purpose: 'agent', audience, contextId: agentId, nonce } as const
  const { csr, hsm } = await answer(attempt, context)
  const evidence = { challenge: id, hsm }
  return await host.call('POST', `/v1/agents/${agentId}/credentials`, { csr, evidence })
}

async function answer(
  { key, voucher, stated = same, proven = same, sent = same }: HsmAttempt,
  context: HsmContext,
): Promise<TokenEvidence> {
  const made = await collectTokenEvidence(key, voucher, stated(context))
  const parts = {
    csr: decodeBase64url(made.csr),
    statement: decodeBase64url(made.hsm.statement ?? ''),
  }
  const proof = await key.sign(hsmProofMessage(proven(context), voucher.format, parts))
  return sent({ ...made, hsm: { ...made.hsm, proof: encodeBase64url(proof) } })
}

function same<T>(value: T): T {
  return value
}
