import test from 'ava'
import {
  renewalCauses,
  renewalMoment,
  suggestWindow,
} from '../../../src/core/issuance/renewal-window.ts'

const notBefore = 1_790_000_000_000
const hour = 3_600_000
const certificate = { notBefore, notAfter: notBefore + hour }
const minute = 60_000

test('a certificate is renewed between two thirds and five sixths of its life', t => {
  t.deepEqual(suggestWindow(certificate), {
    start: notBefore + 40 * minute,
    end: notBefore + 50 * minute,
    reason: undefined,
  })
})

test('what is revoked or tainted is renewed at once, and what only changed is spread from there', t => {
  const at = notBefore + 10 * minute
  for (const [name, minutes] of [
    ['revoked', 0],
    ['authority-tainted', 0],
    ['authority-retired', 10],
    ['policy-changed', 5],
  ] as const)
    t.deepEqual(suggestWindow(certificate, [{ name, at }]), {
      start: at,
      end: at + minutes * minute,
      reason: name,
    })
  t.is(Object.keys(renewalCauses).length, 4)
})

test('of several causes the one counts that ends first; a late one changes nothing', t => {
  const at = notBefore + 10 * minute
  const both = [
    { name: 'policy-changed', at },
    { name: 'revoked', at: at + minute },
  ] as const
  t.is(suggestWindow(certificate, both).reason, 'revoked')
  t.is(suggestWindow(certificate, [...both].toReversed()).reason, 'revoked')
  const late = [{ name: 'policy-changed', at: notBefore + 49 * minute }] as const
  t.is(suggestWindow(certificate, late).reason, undefined)
})

test('a cause of before a certificate counts from its beginning', t => {
  const early = [{ name: 'authority-tainted', at: notBefore - hour }] as const
  t.like(suggestWindow(certificate, early), { start: notBefore, end: notBefore })
})

test('a holder renews inside the window, where its jitter says', t => {
  const window = { start: 1000, end: 2000 }
  t.deepEqual(
    [0, 0.25, 0.999].map(jitter => renewalMoment(window, jitter)),
    [1000, 1250, 1999],
  )
})
