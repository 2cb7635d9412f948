import { randomBytes } from 'node:crypto'
import type { AnswerEdit } from '../../../swtpm/emulated/answer.ts'
import type { EmulatedTpm, EmulatedTpmOptions } from '../../../swtpm/emulated/emulated-tpm.ts'
import type { EmulatedKey } from '../../../swtpm/emulated/key.ts'
import type { ServiceClient } from '../../attester/service-client.ts'
import { clientKeyOf } from './emulated-client.ts'
import {
  askForChallenge,
  createAgent,
  evidenceBody,
  proveAgentKey,
  sendEvidence,
  type RequestEdit,
} from './messages.ts'
import type { AttackWorld } from './world.ts'

/** A name for a host that no other case uses. */
export function hostName(): string {
  return `attack-${randomBytes(6).toString('hex')}`
}

/** What may be forged on the way through an enrolment. */
export interface EnrollmentForgery {
  readonly options?: Partial<EmulatedTpmOptions>
  readonly tpm?: EmulatedTpm
  readonly request?: RequestEdit
  readonly answer?: (tpm: EmulatedTpm) => AnswerEdit
  readonly logs?: (honest: EmulatedTpm['logs'], tpm: EmulatedTpm) => EmulatedTpm['logs']
}

/** A host that was let in. */
export interface EnrolledHost {
  readonly tpm: EmulatedTpm
  readonly id: string
  readonly key: EmulatedKey
  readonly client: ServiceClient
}

/** Both messages of an enrolment, honest but for what is forged. */
export async function enroll(
  world: AttackWorld,
  forgery: EnrollmentForgery = {},
): Promise<EnrolledHost> {
  const tpm = forgery.tpm ?? world.createTpm(forgery.options)
  const open = world.setup.connect()
  const challenge = await askForChallenge(open, tpm, hostName(), forgery.request)
  const logs = forgery.logs?.(tpm.logs, tpm) ?? tpm.logs
  const { body, key } = evidenceBody(tpm, challenge, forgery.answer?.(tpm), logs)
  const id = await sendEvidence(world, open, challenge.id, body)
  return { tpm, id, key, client: world.setup.connect(clientKeyOf(key)) }
}

/** An agent with a proven key, on a host of its own; honest but for what is forged. */
export async function enrollAgent(
  world: AttackWorld,
  answer: (tpm: EmulatedTpm) => AnswerEdit = () => ({}),
): Promise<{ host: EnrolledHost; agentId: string; key: EmulatedKey; client: ServiceClient }> {
  const host = await enroll(world)
  const challenge = await createAgent(host.client, world.className)
  const key = await proveAgentKey(host.client, host.tpm, challenge, answer(host.tpm))
  const client = world.setup.connect(clientKeyOf(key))
  return { host, agentId: challenge.agentId, key, client }
}
