import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import test from 'ava'
import { Tpm, Tpm2Error } from '../../native/index.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { startProxy } from '../../swtpm/tpm-proxy.ts'
import { census, empty, primary, templates } from './native-fixtures.ts'

const bench = await startTestBench()
const sockets = await createPrivateDirectory('life')
const slow = await startProxy({
  target: bench.socketPath,
  path: join(sockets, 'slow'),
  latencyMilliseconds: 0,
})
const native = new URL('../../native/index.ts', import.meta.url).href
const fixtures = new URL('./native-fixtures.ts', import.meta.url).href
test.afterEach.always(() => (slow.options.latencyMilliseconds = 0))
test.after.always(async () => {
  await slow.stop()
  await bench.stop()
  discardDirectory(sockets)
})

/** What the TPM holds, as a connection of its own sees it. */
async function held(): Promise<Awaited<ReturnType<typeof census>>> {
  await using tpm = await Tpm.open(bench.tcti)
  return await census(tpm)
}

/** Runs a module that has `open`, `primary`, `templates` and `tcti` in a process of its own. */
async function runModule(
  body: string,
  tcti = bench.tcti,
  flags: readonly string[] = [],
): Promise<string> {
  const source = `
    import { Tpm } from '${native}'
    import { primary, templates } from '${fixtures}'
    const tcti = '${tcti}'
    ${body}`
  const args = [
    ...flags,
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '--eval',
    source,
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return `${signal ?? code} ${output}`.trim()
}

test.serial('leaves the event loop free while a slow TPM works', async t => {
  await using tpm = await Tpm.open(slow.tcti)
  slow.options.latencyMilliseconds = 300
  let ticks = 0
  // The loop turns between the call and its answer, however slow this machine is: no time is compared.
  const turning = setInterval(() => (ticks += 1), 1)
  await tpm.getRandom(8)
  clearInterval(turning)
  t.true(ticks > 2, `${ticks} turns`)
})

test.serial('keeps one slow TPM from holding up another, or the thread pool', async t => {
  const slowOnes = await Promise.all(
    Array.from({ length: 6 }, async () => await Tpm.open(slow.tcti)),
  )
  await using quick = await Tpm.open(bench.tcti)
  slow.options.latencyMilliseconds = 1000
  const order: string[] = []
  const waiting = slowOnes.map(async tpm => await tpm.getRandom(8).then(() => order.push('slow')))
  await quick.getRandom(8)
  order.push('quick')
  await Promise.all(waiting)
  t.deepEqual(order, ['quick', 'slow', 'slow', 'slow', 'slow', 'slow', 'slow'])
  await Promise.all(slowOnes.map(async tpm => await tpm.close()))
})

test.serial('answers calls in the order in which they were made', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const order: number[] = []
  await Promise.all(
    Array.from({ length: 50 }, async (_, i) => await tpm.getRandom(4).then(() => order.push(i))),
  )
  t.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  )
})

test.serial('finishes the calls already made, flushes what is held, then refuses', async t => {
  const tpm = await Tpm.open(slow.tcti)
  slow.options.latencyMilliseconds = 50
  const working = [primary(tpm, templates.signingKey), primary(tpm, templates.storageParent)]
  const random = tpm.getRandom(8)
  const closing = tpm.close()
  const late = t.throwsAsync(tpm.getRandom(8), { instanceOf: Tpm2Error })
  t.is((await random).length, 8)
  t.is((await Promise.all(working)).length, 2)
  await closing
  await tpm.close()
  t.is((await late).code, 'tpm-connection-closed')
  t.is(
    (await t.throwsAsync(tpm.getRandom(8), { instanceOf: Tpm2Error })).code,
    'tpm-connection-closed',
  )
  t.deepEqual(await held(), empty)
})

test.serial('closes with a session and an object open, and flushes both', async t => {
  const tpm = await Tpm.open(bench.tcti)
  const key = await tpm.openHandle(0x81010001)
  await tpm.startProtection(key)
  await tpm.startPolicySession()
  await primary(tpm, templates.signingKey)
  t.deepEqual(await held(), { transient: 1, loaded: 2, active: 0 })
  await tpm.close()
  t.deepEqual(await held(), empty)
})

test.serial('says nothing about a handle that a reset of the TPM took', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const key = await primary(tpm, templates.signingKey)
  await bench.reset()
  await t.notThrowsAsync(tpm.flush(key))
  t.is((await tpm.getRandom(8)).length, 8)
})

test.serial('flushes a handle that was collected, and a connection that was', async t => {
  const lost = await runModule(
    `
    const tpm = await Tpm.open(tcti)
    await (async () => { await primary(tpm, templates.signingKey) })()
    let left = 1
    for (let i = 0; i < 200 && left > 0; i++) {
      gc()
      await new Promise(resolve => setTimeout(resolve, 5))
      left = (await tpm.handles(0x80000000)).length
    }
    console.log(left)
    await (async () => { await primary(await Tpm.open(tcti), templates.signingKey) })()
    for (let i = 0, seen = 0; i < 200; i++) {
      gc()
      await new Promise(resolve => setTimeout(resolve, 5))
      left = (await tpm.handles(0x80000000)).length
      if (left === 0) break
    }
    console.log(left)
    await tpm.close()`,
    bench.tcti,
    ['--expose-gc'],
  )
  t.is(lost, '0 0\n0')
  t.deepEqual(await held(), empty)
})

test.serial(
  'lets a process end by itself with a connection open, and flushes what it held',
  async t => {
    t.is(
      await runModule(
        'const tpm = await Tpm.open(tcti); await primary(tpm, templates.signingKey); console.log(1)',
      ),
      '0 1',
    )
    t.deepEqual(await held(), empty)
  },
)

test.serial(
  'lets a process exit in the middle of its work without a crash, and flushes what it held',
  async t => {
    slow.options.latencyMilliseconds = 100
    const ended = await runModule(
      `
    const tpm = await Tpm.open(tcti)
    await primary(tpm, templates.signingKey)
    for (let i = 0; i < 20; i++) void tpm.getRandom(8)
    setTimeout(() => process.exit(7), 30)`,
      slow.tcti,
    )
    t.is(ended, '7')
    slow.options.latencyMilliseconds = 0
    t.deepEqual(await held(), empty)
  },
)

test.serial('lets a process exit although its TPM never answers', async t => {
  slow.options.latencyMilliseconds = 60_000
  const never = await startProxy({ target: bench.socketPath, path: join(sockets, 'never') })
  const body = `
    const tpm = await Tpm.open(tcti)
    void tpm.getRandom(8)
    setTimeout(() => process.exit(9), 30)`
  never.options.latencyMilliseconds = 600_000
  t.is(await runModule(body, never.tcti), '9')
  await never.stop()
})

test.serial('does not hand the TPM down to a child process', async t => {
  slow.options.latencyMilliseconds = 500
  await using tpm = await Tpm.open(slow.tcti)
  const working = tpm.getRandom(8)
  await pause(250) // the command is under way: its socket is open
  const list =
    "for (const fd of require('node:fs').readdirSync('/proc/self/fd')) try {" +
    "console.log(require('node:fs').readlinkSync('/proc/self/fd/' + fd)) } catch {}"
  const child = spawn(process.execPath, ['--eval', list], { stdio: ['ignore', 'pipe', 'ignore'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  const open = readdirSync('/proc/self/fd')
    .map(linkOf)
    .filter(link => link.startsWith('socket:'))
  t.true(open.length > 0)
  t.deepEqual(
    open.filter(link => output.includes(link)),
    [],
  )
  await working
})

test.serial('lives in worker threads, and dies with them', async t => {
  const body = `
    const { Worker } = await import('node:worker_threads')
    const source = \`
      const { workerData, parentPort } = require('node:worker_threads')
      import(workerData.native).then(async ({ Tpm }) => {
        const tpm = await Tpm.open(workerData.tcti)
        await tpm.startPolicySession()
        for (let i = 0; i < 100; i++) tpm.getRandom(8).catch(() => {})
        parentPort.postMessage('working')
      })\`
    for (let round = 0; round < 5; round++) {
      const worker = new Worker(source, { eval: true, execArgv: [], workerData: { native: '${native}', tcti } })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      await worker.terminate()
    }
    console.log('done')`
  t.is(await runModule(body), '0 done')
  t.deepEqual(await held(), empty)
})

/** What a descriptor of this process is. */
function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return '' // of the listing itself
  }
}
