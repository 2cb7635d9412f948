/** What goes on beside the requests while a service runs. */
export interface Keeper {
  /** Resolves when nothing is under way any more. */
  stop(): Promise<void>
}

/**
 * Does jobs at once and again and again, with a pause in between. What fails is tried again with the next round.
 *
 * @param report told of what goes wrong, once for each job until it goes right again
 */
export function keepDoing(
  jobs: readonly (() => Promise<unknown>)[],
  intervalMs: number,
  report: (causes: string) => void,
): Keeper {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const failing = jobs.map(() => false)
  const round = async (): Promise<void> => {
    const outcomes = await Promise.allSettled(jobs.map(async job => await job()))
    for (const [job, outcome] of outcomes.entries()) {
      const hasFailed = outcome.status === 'rejected'
      if (hasFailed && failing[job] !== true && !isStopped) report(describeCauses(outcome.reason))
      failing[job] = hasFailed
    }
  }
  const next = async (): Promise<void> => {
    await round()
    if (isStopped) return
    timer = setTimeout(() => {
      running = next()
    }, intervalMs).unref()
  }
  let running = next()
  return {
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}

function describeCauses(cause: unknown): string {
  return cause instanceof AggregateError ? cause.errors.map(String).join('; ') : String(cause)
}
