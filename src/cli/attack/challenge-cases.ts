import { randomBytes } from 'node:crypto'
import { CodedError } from '../../core/coded-error.ts'
import type { AttackCase } from './attack-case.ts'
import { enroll, hostName } from './flows.ts'
import { askForChallenge, evidenceBody, sendEvidence } from './messages.ts'
import type { AttackWorld } from './world.ts'

const honest: AttackCase['twin'] = async world => await enroll(world)
const contenders = 20

/** Has one answer sent many times at the same moment; more than one acceptance counts as the attack's success. */
async function answerAtOnce(world: AttackWorld): Promise<void> {
  const open = world.setup.connect()
  const tpm = world.createTpm()
  const challenge = await askForChallenge(open, tpm, hostName())
  const { body } = evidenceBody(tpm, challenge)
  const tries = Array.from(
    { length: contenders },
    async () => await sendEvidence(world, open, challenge.id, body),
  )
  const results = await Promise.allSettled(tries)
  const refused = results.filter(result => result.status === 'rejected')
  if (refused.length < contenders - 1) return
  // One of them was let in, as it must be; what the others were told is the refusal.
  const told: unknown = refused[0]?.reason
  if (refused.length === contenders || told instanceof CodedError) throw told
  throw new TypeError('a refusal without a code', { cause: told })
}

/** Challenges: for one TPM, one enrolment, one answer. */
export const challengeCases: readonly AttackCase[] = [
  {
    name: 'challenge answered a second time',
    code: 'challenge-used',
    attack: async world => {
      const open = world.setup.connect()
      const tpm = world.createTpm()
      const challenge = await askForChallenge(open, tpm, hostName())
      const { body } = evidenceBody(tpm, challenge)
      await sendEvidence(world, open, challenge.id, body)
      return await sendEvidence(world, open, challenge.id, body)
    },
    twin: honest,
  },
  {
    name: `challenge answered ${contenders} times at once`,
    code: 'challenge-used',
    attack: answerAtOnce,
    twin: honest,
  },
  {
    name: 'challenge of one TPM answered by another',
    code: 'activation-proof',
    attack: async world => {
      const open = world.setup.connect()
      const challenge = await askForChallenge(open, world.createTpm(), hostName())
      const secret = randomBytes(32)
      const { body } = evidenceBody(world.createTpm(), challenge, { secret })
      return await sendEvidence(world, open, challenge.id, body)
    },
    twin: honest,
  },
  {
    name: 'evidence bound to the nonce of another enrolment',
    code: 'quote-nonce',
    attack: async world => await enroll(world, { answer: () => ({ nonce: randomBytes(32) }) }),
    twin: honest,
  },
  {
    name: 'whole answer of another enrolment of the same TPM',
    code: 'activation-proof',
    attack: async world => {
      const open = world.setup.connect()
      const tpm = world.createTpm()
      const name = hostName()
      const first = await askForChallenge(open, tpm, name)
      const second = await askForChallenge(open, tpm, name)
      return await sendEvidence(world, open, second.id, evidenceBody(tpm, first).body)
    },
    twin: honest,
  },
  {
    name: 'challenge that was never made',
    code: 'enrollment-unknown',
    attack: async world => {
      const open = world.setup.connect()
      const tpm = world.createTpm()
      const challenge = await askForChallenge(open, tpm, hostName())
      return await sendEvidence(
        world,
        open,
        'AAAAAAAAAAAAAAAAAAAAAA',
        evidenceBody(tpm, challenge).body,
      )
    },
    twin: honest,
  },
]
