import test from 'ava'
import { OcspAnswers, type KeptAnswer } from '../../src/services/ocsp-answers.ts'

const now = 1_790_000_000_000

function answer(at = now): Omit<KeptAnswer, 'status' | 'sha256'> {
  return { bytes: Uint8Array.of(1), thisUpdate: at, nextUpdate: at + 1_000 }
}

test('no more answers are kept than there is room for, and the oldest goes first', async t => {
  const answers = new OcspAnswers(2)
  let made = 0
  const ask = async (question: string): Promise<unknown> =>
    await answers.find(question, 'good', now, async () => {
      made += 1
      return answer()
    })
  for (const question of ['a', 'b', 'c']) await ask(question)
  t.is(answers.size, 2)
  await ask('c')
  t.is(made, 3)
  await ask('a')
  t.is(made, 4)
  answers.clear()
  t.is(answers.size, 0)
})

test('an answer is given again until half of its time is over, and never before its time', async t => {
  const answers = new OcspAnswers()
  const thisUpdateAt = async (at: number): Promise<number> =>
    (await answers.find('a', 'good', at, async () => answer(at))).thisUpdate
  t.is(await thisUpdateAt(now), now)
  t.is(await thisUpdateAt(now + 499), now)
  t.is(await thisUpdateAt(now + 500), now + 500)
  t.is(await thisUpdateAt(now), now)
})

test('another status makes another answer, also while the one before is being made', async t => {
  const answers = new OcspAnswers()
  const slow = Promise.withResolvers<ReturnType<typeof answer>>()
  const good = answers.find('a', 'good', now, async () => await slow.promise)
  const revoked = await answers.find('a', 'revoked', now, async () => answer(now + 1))
  t.is(revoked.status, 'revoked')
  slow.resolve(answer())
  t.is((await good).status, 'good')
  const asked = await answers.find('a', 'revoked', now + 1, async () => answer(now + 2))
  t.is(asked.status, 'revoked')
})

test('a signature that fails is told to all who wait, and tried again for the next', async t => {
  const answers = new OcspAnswers()
  const fail = async (): Promise<never> => await Promise.reject(new Error('down'))
  const failed = [answers.find('a', 'good', now, fail), answers.find('a', 'good', now, fail)]
  for (const one of failed) await t.throwsAsync(one, { message: 'down' })
  t.is((await answers.find('a', 'good', now, async () => answer())).status, 'good')
})
