/** What one kind of answer costs beside the cryptography in it. */
export interface Rate {
  readonly perCpuSecond: number
  /** What nothing but its cryptography would allow. */
  readonly rawPerCpuSecond: number
  readonly ratio: number
}

/** A rate from the CPU microseconds of one answer and those of its cryptography. */
export function createRate(microseconds: number, rawMicroseconds: number): Rate {
  return {
    perCpuSecond: round(1_000_000 / microseconds),
    rawPerCpuSecond: round(1_000_000 / rawMicroseconds),
    ratio: Math.round((1_000 * rawMicroseconds) / microseconds) / 1_000,
  }
}

function round(rate: number): number {
  return rate < 100 ? Math.round(rate * 10) / 10 : Math.round(rate)
}

/** A table for people, one line for each rate, the names in their words. */
export function printRates(rows: readonly { readonly name: string; readonly rate: Rate }[]): void {
  console.log(`${''.padEnd(46)}${'per CPU-second'.padStart(16)}${'raw'.padStart(10)}   ratio`)
  for (const { name, rate } of rows) {
    const [own, raw] = [rate.perCpuSecond, rate.rawPerCpuSecond].map(value =>
      value.toLocaleString('en'),
    ) as [string, string]
    console.log(
      `${name.padEnd(46)}${own.padStart(16)}${raw.padStart(10)}${rate.ratio.toFixed(2).padStart(8)}`,
    )
  }
}
