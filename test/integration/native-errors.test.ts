import { join } from 'node:path'
import test from 'ava'
import { Tpm, Tpm2Error } from '../../native/index.ts'
import type { Tpm2ErrorCode } from '../../native/index.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { refusal, startProxy } from '../../swtpm/tpm-proxy.ts'
import { census, ecdsaSha256, empty, primary, templates } from './native-fixtures.ts'

const bench = await startTestBench()
const sockets = await createPrivateDirectory('errors')
const proxy = await startProxy({ target: bench.socketPath, path: join(sockets, 'tpm') })
test.afterEach.always(() => (proxy.options.answer = undefined))
test.after.always(async () => {
  await proxy.stop()
  await bench.stop()
  discardDirectory(sockets)
})

const getRandom = 0x17b

/** Answers the next `times` of a command with a response code; gives the count of those that came. */
function inject(commandCode: number, rc: number, times: number): { count: number } {
  const seen = { count: 0 }
  proxy.options.answer = command => {
    if (command.readUInt32BE(6) !== commandCode) return undefined
    return ++seen.count <= times ? refusal(rc) : undefined
  }
  return seen
}

for (const [symbol, rc] of [
  ['TPM_RC_RETRY', 0x922],
  ['TPM_RC_YIELDED', 0x908],
  ['TPM_RC_TESTING', 0x90a],
] as const) {
  test.serial(`resubmits a command that was answered ${symbol}`, async t => {
    await using tpm = await Tpm.open(proxy.tcti)
    const seen = inject(getRandom, rc, 6)
    t.is((await tpm.getRandom(8)).length, 8)
    t.is(seen.count, 7)
  })

  test.serial(`gives up on ${symbol} after a bounded number of attempts`, async t => {
    await using tpm = await Tpm.open(proxy.tcti, { retries: 3 })
    const seen = inject(getRandom, rc, Infinity)
    const error = await t.throwsAsync(tpm.getRandom(8), { instanceOf: Tpm2Error })
    t.is(error.code, 'tpm-busy')
    t.is(error.rc, rc)
    t.is(error.symbol, symbol)
    // Three by the addon, and the five submissions that ESAPI makes by itself.
    t.true(seen.count >= 4 && seen.count <= 9, String(seen.count))
    proxy.options.answer = undefined
    t.is((await tpm.getRandom(8)).length, 8)
  })
}

test.serial('resubmits a command inside a session without breaking it', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const key = await tpm.openHandle(0x81010001)
  await using protection = await tpm.startProtection(key)
  for (let i = 1; i < 4; i++) {
    inject(getRandom, 0x922, i)
    t.is((await tpm.getRandom(8, { protection })).length, 8)
  }
})

for (const [rc, code, symbol] of [
  [0x920, 'tpm-rate-limited', 'TPM_RC_NV_RATE'],
  [0x921, 'tpm-locked-out', 'TPM_RC_LOCKOUT'],
  [0x902, 'tpm-slots-exhausted', 'TPM_RC_OBJECT_MEMORY'],
  [0x903, 'tpm-slots-exhausted', 'TPM_RC_SESSION_MEMORY'],
  [0x905, 'tpm-slots-exhausted', 'TPM_RC_SESSION_HANDLES'],
  [0x98e, 'tpm-authorization-failed', 'TPM_RC_AUTH_FAIL'],
  [0x9a2, 'tpm-authorization-failed', 'TPM_RC_BAD_AUTH'],
  [0x99d, 'tpm-policy-failed', 'TPM_RC_POLICY_FAIL'],
  [0x18b, 'tpm-handle-unknown', 'TPM_RC_HANDLE'],
  [0x101, 'tpm-refused', 'TPM_RC_FAILURE'],
  [0x901, 'tpm-refused', 'TPM_RC_CONTEXT_GAP'],
] as const satisfies readonly (readonly [number, Tpm2ErrorCode, string])[]) {
  test.serial(`says ${code} for ${symbol}, at once`, async t => {
    await using tpm = await Tpm.open(proxy.tcti)
    const seen = inject(getRandom, rc, Infinity)
    const error = await t.throwsAsync(tpm.getRandom(8), { instanceOf: Tpm2Error })
    t.is(seen.count, 1)
    t.like(error, { name: 'Tpm2Error', code, symbol, rc, layer: 'tpm', command: 'GetRandom' })
    t.true(error.text.length > 0 && error.hint.length > 0 && error.message.includes(error.text))
  })
}

test.serial('says which parameter, handle or session an error speaks of', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  for (const [rc, position] of [
    [0x2c4, 'parameter 2'],
    [0x18b, 'handle 1'],
    [0x98e, 'session 1'],
    [0x101, undefined],
  ] as const) {
    inject(getRandom, rc, 1)
    const error = await t.throwsAsync(tpm.getRandom(8), { instanceOf: Tpm2Error })
    t.is(error.position, position)
  }
})

test.serial('flushes the session of a protected command that fails', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const protection = await tpm.openHandle(0x81010001)
  inject(getRandom, 0x101, 1)
  await t.throwsAsync(tpm.getRandom(8, { protection }), { instanceOf: Tpm2Error })
  t.deepEqual(await census(tpm), empty)
})

test.serial('flushes with the next command a session that could not be flushed', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const protection = await tpm.openHandle(0x81010001)
  let refused = 0
  proxy.options.answer = command => {
    const isRefused = [0x17b, 0x165].includes(command.readUInt32BE(6)) // GetRandom, FlushContext
    return isRefused && ++refused <= 2 ? refusal(0x101) : undefined
  }
  await t.throwsAsync(tpm.getRandom(8, { protection }), { instanceOf: Tpm2Error })
  t.is(refused, 2)
  t.deepEqual(await census(tpm), empty)
})

test.serial('reaches the lockout of a real TPM by wrong authValues', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using parent = await primary(tpm, templates.storageParent)
  const made = await tpm.create({
    parent,
    public: templates.lockableKey,
    userAuth: Buffer.from('right'),
  })
  await using key = await tpm.load({ parent, ...made })
  const codes = new Set<string>()
  for (let i = 0; i < 40 && !codes.has('tpm-locked-out'); i++) {
    const attempt = tpm.sign({
      key,
      keyAuth: Buffer.from('wrong'),
      digest: Buffer.alloc(32),
      scheme: ecdsaSha256,
    })
    codes.add((await t.throwsAsync(attempt, { instanceOf: Tpm2Error })).code)
  }
  t.deepEqual([...codes], ['tpm-authorization-failed', 'tpm-locked-out'])
})

test.serial('cannot be opened where no TPM is, or by a string that is no TCTI', async t => {
  for (const tcti of [
    `swtpm:path=${sockets}/nothing`,
    'device:/dev/null-and-void',
    'nonsense:',
    '',
  ]) {
    const error = await t.throwsAsync(Tpm.open(tcti), { instanceOf: Tpm2Error }, tcti)
    t.is(error.code, 'tpm-unreachable', tcti)
    t.is(error.layer, 'tcti')
  }
})

test.serial('says that the TPM went away, to this call and to every later one', async t => {
  const path = join(sockets, 'leaving')
  const leaving = await startProxy({ target: bench.socketPath, path })
  const tpm = await Tpm.open(leaving.tcti)
  await leaving.stop()
  for (let i = 0; i < 2; i++) {
    const error = await t.throwsAsync(tpm.getRandom(8), { instanceOf: Tpm2Error })
    t.is(error.code, 'tpm-unreachable')
  }
  await t.notThrowsAsync(tpm.close())
})
