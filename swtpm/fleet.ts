import { join } from 'node:path'
import { createPrivateDirectory, discardDirectory } from './leftovers.ts'
import { createManufacturer } from './manufacturer.ts'
import type { Manufacturer } from './manufacturer.ts'
import { manufactureTpm, startTpm } from './software-tpm.ts'
import type { ManufactureOptions, SoftwareTpm, StartOptions } from './software-tpm.ts'

/** Several TPMs of one manufacturer. */
export interface Fleet {
  readonly manufacturer: Manufacturer
  readonly tpms: readonly SoftwareTpm[]
  /** Stops all of them; leaves nothing behind. */
  stop(): Promise<void>
}

/** What every TPM of a fleet is made with and runs with. */
export type FleetOptions = Omit<ManufactureOptions & StartOptions, 'dir' | 'manufacturer'>

/** How many are made at once: each keeps a processor busy for some tenths of a second. */
const madeAtOnce = 4

/**
 * Founds a manufacturer, manufactures `count` TPMs of it, each with endorsement keys of its own, and starts them all.
 *
 * @throws {EmulatorError} emulator-program-missing, emulator-failed, emulator-not-listening; then none is left running
 */
export async function startFleet(count: number, options: FleetOptions = {}): Promise<Fleet> {
  const home = await createPrivateDirectory('assay-fleet')
  const tpms: SoftwareTpm[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(tpms.map(async tpm => await tpm.stop()))
    discardDirectory(home)
  }
  try {
    const manufacturer = await createManufacturer(join(home, 'manufacturer'))
    await startAll(count, async n => {
      tpms[n] = await makeTpm({ ...options, dir: join(home, `state-${n}`), manufacturer })
    })
    return { manufacturer, tpms, stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

async function makeTpm(options: ManufactureOptions & StartOptions): Promise<SoftwareTpm> {
  const { latencyMilliseconds, ...manufacture } = options
  await manufactureTpm(manufacture)
  const latency = latencyMilliseconds === undefined ? {} : { latencyMilliseconds }
  return await startTpm({ dir: options.dir, ...latency })
}

/** Some at a time; waits for all that were begun before it rejects, so that nothing comes to life later. */
async function startAll(count: number, start: (n: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) await start(n)
  }
  const workers = Array.from({ length: Math.min(count, madeAtOnce) }, work)
  const outcomes = await Promise.allSettled(workers)
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}
