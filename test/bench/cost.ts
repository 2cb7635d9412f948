/** CPU microseconds of one run of `work` in this process, over `count` runs, after as many that warm it up. */
export function measureMicroseconds(count: number, work: () => void): number {
  for (let n = 0; n < count; n += 1) work()
  const { user, system } = process.cpuUsage()
  for (let n = 0; n < count; n += 1) work()
  const used = process.cpuUsage()
  return (used.user - user + used.system - system) / count
}
