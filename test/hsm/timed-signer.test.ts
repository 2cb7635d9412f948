import test from 'ava'
import { timed } from '../../src/hsm/timed-signer.ts'
import { SignerError } from '../../src/ports/signer-error.ts'

const message = new Uint8Array(1)

/** What a signer's times said, in order. */
function listen() {
  const told: string[] = []
  const times = {
    observe: (role: string, outcome: string, seconds: number) =>
      void told.push(`${role} ${outcome} ${seconds >= 0}`),
  }
  return { told, times }
}

test('a signer that answers at once does so still, one that takes its time is awaited', async t => {
  const { told, times } = listen()
  const signature = new Uint8Array([42])
  t.is(timed(() => signature, 'token', times)(message), signature)
  const later = timed(async () => await Promise.resolve(signature), 'log', times)
  t.is(await later(message), signature)
  t.deepEqual(told, ['token signed true', 'log signed true'])
})

test('what a signer refuses is told, and passed on', async t => {
  const { told, times } = listen()
  for (const [error, outcome] of [
    [new SignerError('signer-down'), 'down'],
    [new SignerError('signer-busy'), 'busy'],
    [new TypeError('a bug'), 'failed'],
  ] as const) {
    const later = timed(async () => await Promise.reject(error), 'issuing', times)
    t.is(await t.throwsAsync(async () => await later(message)), error)
    const atOnce = timed(
      () => {
        throw error
      },
      'issuing',
      times,
    )
    t.is(
      t.throws(() => atOnce(message)),
      error,
    )
    t.deepEqual(told.splice(0), [`issuing ${outcome} true`, `issuing ${outcome} true`])
  }
})
