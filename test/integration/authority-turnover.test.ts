import test from 'ava'
import { turnOver } from '../support/turnovers.ts'

test('sixty authorities of a minute follow each other, and no handshake fails', async t => {
  const report = await turnOver(t, 60)
  t.is(report.firstFailure, undefined)
  t.is(report.failedHandshakes, 0)
  t.is(report.turnovers, 60)
  // Before, between and after each two steps somebody connected.
  t.true(report.handshakes > 2 * report.turnovers, `${report.handshakes} handshakes`)
  t.log(report)
})

for (const skipped of ['follow', 'renew'] as const) {
  test(`handshakes fail, and are counted, where the host does not ${skipped}`, async t => {
    const report = await turnOver(t, 2, skipped)
    t.true(report.failedHandshakes > 0)
    t.is(report.turnovers, 2)
  })
}
