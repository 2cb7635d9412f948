import test from 'ava'
import { createOutbound } from '../../src/outbound/create-outbound.ts'
import { publish } from './published.ts'

const limits = { hosts: ['ek.example'], timeoutSeconds: 5, maxBytes: 65_536 }

test('a hundred who ask for one location at once cost one request, and those after them none', async t => {
  let time = 0
  const host = await publish(t, { '/a': Buffer.from('a') })
  const outbound = createOutbound(limits, host.network, { now: () => time })
  const ask = async (): Promise<string> =>
    Buffer.from(await outbound.fetch('http://ek.example/a')).toString()
  const answers = await Promise.all(Array.from({ length: 100 }, ask))
  t.deepEqual(new Set(answers), new Set(['a']))
  t.is(await ask(), 'a')
  t.is(host.asked.length, 1)
  time += 3_600_000
  t.is(await ask(), 'a')
  t.is(host.asked.length, 2)
})

test('that there was no answer is remembered for a minute', async t => {
  let time = 0
  const host = await publish(t, {})
  const outbound = createOutbound(limits, host.network, { now: () => time })
  const ask = async (): Promise<unknown> =>
    await t.throwsAsync(outbound.fetch('http://ek.example/a'), { code: 'outbound-answer' })
  await ask()
  await ask()
  t.is(host.asked.length, 1)
  time += 60_000
  await ask()
  t.is(host.asked.length, 2)
})

test('so many locations are fetched at once and no more; memory has an end', async t => {
  const held: (() => void)[] = []
  const host = await publish(
    t,
    Object.fromEntries(
      Array.from({ length: 8 }, (_, at) => [
        `/held-${at}`,
        (_request: unknown, response: { end(text: string): unknown }) =>
          void held.push(() => response.end('late')),
      ]),
    ),
  )
  const outbound = createOutbound(limits, host.network, { now: () => 0 })
  const running = Array.from({ length: 8 }, (_, at) =>
    outbound.fetch(`http://ek.example/held-${at}`),
  )
  const ninth = outbound.fetch('http://ek.example/ninth')
  await t.throwsAsync(ninth, { code: 'outbound-crowded' })
  while (held.length < 8) await new Promise(resolve => setTimeout(resolve, 5))
  for (const release of held) release()
  t.is((await Promise.all(running)).length, 8)
  for (let at = 0; at < 256; at += 1)
    await t.throwsAsync(outbound.fetch(`http://ek.example/${at}`), { code: 'outbound-answer' })
  const before = host.asked.length
  const again = outbound.fetch('http://ek.example/held-0')
  while (held.length < 9) await new Promise(resolve => setTimeout(resolve, 5))
  held[8]?.()
  await again
  t.is(host.asked.length, before + 1)
})
