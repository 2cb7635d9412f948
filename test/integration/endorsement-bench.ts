import { Hierarchy, Tpm } from '../../native/index.ts'
import { startTestBench, type TestBench } from '../../swtpm/software-tpm.ts'
import { census } from './native-fixtures.ts'

/** A TPM of its own, for a test that changes one. */
export async function withBench(work: (own: TestBench, tpm: Tpm) => Promise<void>): Promise<void> {
  const own = await startTestBench()
  try {
    await using tpm = await Tpm.open(own.tcti)
    await work(own, tpm)
    const { transient, loaded, active } = await census(tpm)
    if (transient + loaded + active > 0) throw new Error('the TPM was left with something in it')
  } finally {
    await own.stop()
  }
}

export async function undefine(tpm: Tpm, ...indices: readonly number[]): Promise<void> {
  for (const index of indices) await tpm.nvUndefineSpace({ index, hierarchy: Hierarchy.platform })
}

export async function evict(tpm: Tpm, ...handles: readonly number[]): Promise<void> {
  for (const handle of handles) await tpm.evict({ object: await tpm.openHandle(handle) })
}

export const certificates = [0x01c0_0002, 0x01c0_0016]
export const persistent = [0x8101_0001, 0x8101_0016]
