const rounds = 5

/**
 * CPU microseconds of one run of `work` in this process: of several rounds of `count` runs, after one that warms it
 * up, the one that was least disturbed by what else the machine does.
 */
export function measureMicroseconds(count: number, work: () => void): number {
  measureRound(count, work)
  return Math.min(...Array.from({ length: rounds }, () => measureRound(count, work)))
}

function measureRound(count: number, work: () => void): number {
  const { user, system } = process.cpuUsage()
  for (let n = 0; n < count; n += 1) work()
  const used = process.cpuUsage()
  return (used.user - user + used.system - system) / count
}
