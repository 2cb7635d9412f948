import test from 'ava'
import type { Sliced } from '../../src/core/slices.ts'
import { runInSlices } from '../../src/services/run-in-slices.ts'

function* countTo(last: number, seen: string[]): Sliced<number> {
  for (let n = 1; n <= last; n += 1) {
    seen.push(`work ${n}`)
    yield
  }
  return last
}

test('others have a turn between two slices of a long work', async t => {
  const seen: string[] = []
  const others = setInterval(() => seen.push('other'), 0)
  const busy = countTo(50, seen)
  const slow: Sliced<number> = (function* () {
    for (;;) {
      const until = performance.now() + 2
      while (performance.now() < until);
      const step = busy.next()
      if (step.done === true) return step.value
      yield
    }
  })()
  t.is(await runInSlices(slow), 50)
  clearInterval(others)
  t.true(seen.indexOf('other') < seen.indexOf('work 50'))
  t.is(seen.filter(line => line !== 'other').length, 50)
})

test('what sliced work throws is thrown to whoever runs it', async t => {
  const failing: Sliced<never> = (function* () {
    yield
    throw new RangeError('a bug')
  })()
  await t.throwsAsync(runInSlices(failing), { instanceOf: RangeError })
})
