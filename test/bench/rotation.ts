import { turnOver, type TurnoverReport } from '../support/turnovers.ts'

const turnovers = 60

/** Sixty turnovers of the authority under a host that connects all the time; the same as the test counts. */
export async function benchRotation(): Promise<TurnoverReport> {
  const ends: (() => unknown)[] = []
  try {
    return await turnOver({ teardown: end => void ends.push(end) }, turnovers)
  } finally {
    for (const end of ends.toReversed()) await end()
  }
}

/** One line for people. */
export function printRotation(report: TurnoverReport): void {
  const { turnovers: done, handshakes, failedHandshakes } = report
  console.log(
    `${done} turnovers of the authority: ${failedHandshakes} of ${handshakes} handshakes failed`,
  )
}
