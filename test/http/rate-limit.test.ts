import test from 'ava'
import { networkOf, RateLimit } from '../../src/http/rate-limit.ts'

const now = 1_790_000_000_000

function takeMany(limit: RateLimit, count: number, address = '192.0.2.1', at = now): number {
  return Array.from({ length: count }, () => limit.take(address, at)).filter(wait => wait === 0)
    .length
}

test('as many as fit in a minute are let in at once, and again over the next minute', t => {
  const limit = new RateLimit({ perMinute: 60, capacity: 10 })
  t.is(takeMany(limit, 100), 60)
  t.is(limit.take('192.0.2.1', now), 1)
  t.is(takeMany(limit, 100, '192.0.2.1', now + 10_000), 10)
  t.is(takeMany(limit, 100, '192.0.2.1', now + 600_000), 60)
})

test('the wait that is named is enough', t => {
  const limit = new RateLimit({ perMinute: 3, capacity: 10 })
  takeMany(limit, 3)
  const seconds = limit.take('192.0.2.1', now)
  t.is(seconds, 20)
  t.is(limit.take('192.0.2.1', now + seconds * 1000), 0)
})

test('a clock that goes back gives nothing', t => {
  const limit = new RateLimit({ perMinute: 2, capacity: 10 })
  takeMany(limit, 2)
  t.not(limit.take('192.0.2.1', now - 3_600_000), 0)
})

test('one address does not use up what another has', t => {
  const limit = new RateLimit({ perMinute: 2, capacity: 10 })
  t.is(takeMany(limit, 5, '192.0.2.1'), 2)
  t.is(takeMany(limit, 5, '192.0.2.2'), 2)
})

test('no more addresses are remembered than the capacity, the one longest unseen goes first', t => {
  const limit = new RateLimit({ perMinute: 1, capacity: 2 })
  for (const address of ['192.0.2.1', '192.0.2.2']) t.is(limit.take(address, now), 0)
  t.not(limit.take('192.0.2.1', now), 0)
  t.is(limit.take('192.0.2.3', now), 0)
  t.not(limit.take('192.0.2.1', now), 0)
  t.is(limit.take('192.0.2.2', now), 0)
})

test('an IPv6 network counts as one, however many addresses it uses', t => {
  t.is(networkOf('2001:db8:1:2:aaaa::1'), networkOf('2001:0db8:0001:0002:ffff:1:2:3'))
  t.not(networkOf('2001:db8:1:2::1'), networkOf('2001:db8:1:3::1'))
  t.is(networkOf('::1'), '0:0:0:0::/64')
  t.is(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  t.is(networkOf('2001:db8::'), '2001:db8:0:0::/64')
})

test('an IPv4 address is the same in both notations', t => {
  t.is(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
  t.is(networkOf('192.0.2.1'), '192.0.2.1')
})
