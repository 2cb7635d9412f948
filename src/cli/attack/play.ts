import { RemoteError } from '../../attester/remote-error.ts'
import { agentCases } from './agent-cases.ts'
import type { AttackCase, AttackOutcome, PlayedKit } from './attack-case.ts'
import { attestationCases } from './attestation-cases.ts'
import { challengeCases } from './challenge-cases.ts'
import { endorsementCases } from './endorsement-cases.ts'
import { hsmAttestedCases } from './hsm-attested-cases.ts'
import { hsmDeclaredCases } from './hsm-declared-cases.ts'
import { keyCases } from './key-cases.ts'
import { measuredBootCases } from './measured-boot-cases.ts'
import { AttackWorld, type AttackSetup } from './world.ts'

/** The whole kit, in the order of an enrolment. */
export const attackCases: readonly AttackCase[] = [
  ...endorsementCases,
  ...keyCases,
  ...attestationCases,
  ...measuredBootCases,
  ...challengeCases,
  ...agentCases,
  ...hsmAttestedCases,
  ...hsmDeclaredCases,
]

/**
 * Plays each case and its twin against a service. A case is held when the attack is refused with its code and the twin
 * is let in. Cases that the policy in force does not look at, or whose twin it would not let in, are not played. At the
 * end, be it a failure, everything that the kit admitted or enrolled is taken back, as far as the service lets it; a kit
 * whose process is ended takes nothing back.
 *
 * @param onOutcome told of each case as it is through
 * @throws RemoteError when the service does not let the kit set itself up; CommandError `attack-left`, naming what is
 *   still in force
 */
export async function playAttacks(
  setup: AttackSetup,
  cases: readonly AttackCase[],
  onOutcome: (outcome: AttackOutcome) => void,
): Promise<PlayedKit> {
  const world = await AttackWorld.open(setup)
  const outcomes: AttackOutcome[] = []
  const { policy } = world
  const isMeant = ({ needs, assurance }: AttackCase): boolean =>
    (assurance === undefined || policy.assurance.includes(assurance)) && needs?.(policy) !== false
  try {
    for (const row of cases.filter(isMeant)) {
      const outcome = await playCase(world, row)
      outcomes.push(outcome)
      onOutcome(outcome)
    }
  } catch (cause) {
    await world.close(cause)
    throw cause
  }
  await world.close()
  const notPlayed = cases.filter(row => !isMeant(row)).map(({ name }) => name)
  return { outcomes, notPlayed }
}

async function playCase(world: AttackWorld, row: AttackCase): Promise<AttackOutcome> {
  const { name, code: expected } = row
  const found = await resultOf(async () => await row.attack(world))
  const twin = await resultOf(async () => await row.twin(world))
  return { name, expected, found, twin, isHeld: found === expected && twin === 'accepted' }
}

/** `accepted`, the code of the refusal, or what else happened: a failure of the service is no refusal. */
async function resultOf(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt()
    return 'accepted'
  } catch (error) {
    if (error instanceof RemoteError && error.status < 500) return error.code
    return `failed: ${error instanceof Error ? error.message : String(error)}`
  }
}
