import type { Sliced } from '../core/slices.ts'

/** Runs sliced work with a turn for everybody else between its slices. */
export async function runInSlices<T>(work: Sliced<T>): Promise<T> {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
    await new Promise(resolve => setImmediate(resolve))
  }
}
