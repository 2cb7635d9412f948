/**
 * Long work that yields where it may be interrupted, and gives its result at the end: whoever runs it decides whether
 * others have a turn in between. What it reads must not change meanwhile.
 */
export type Sliced<T> = Generator<undefined, T, undefined>

/** Runs sliced work to its end without a break. */
export function runAtOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}
