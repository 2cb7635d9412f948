// A TPM behind `device:`, as a chip is: a pseudo-terminal stands for the character device, for the time-outs, which
// only a device has, need one that can be waited for.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'ava'
import type { ExecutionContext } from 'ava'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { startProxy } from '../../swtpm/tpm-proxy.ts'

const bench = await startTestBench()
const sockets = await createPrivateDirectory('device')
const proxy = await startProxy({ target: bench.socketPath, path: join(sockets, 'tpm') })
const native = new URL('../../native/index.ts', import.meta.url).href

// Commands come in at the pseudo-terminal's other side; each is one connection to the TPM's socket.
const relay = `
import os, pty, socket, struct, sys, tty
master, slave = pty.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
def message(read):
    data = b''
    while len(data) < 6 or len(data) < struct.unpack('>I', data[2:6])[0]:
        more = read(4096)
        if not more: raise EOFError
        data += more
    return data
while True:
    command = message(lambda size: os.read(master, size))
    with socket.socket(socket.AF_UNIX) as tpm:
        tpm.connect(sys.argv[1])
        tpm.sendall(command)
        os.write(master, message(tpm.recv))
`

test.afterEach.always(() => {
  proxy.options.answer = undefined
  proxy.options.latencyMilliseconds = 0
})
test.after.always(async () => {
  await proxy.stop()
  await bench.stop()
  discardDirectory(sockets)
})

/** A device of this test's own, for what is left in it when nobody waits any more would be read by the next. */
async function startDevice(t: ExecutionContext): Promise<string> {
  const python = spawn('python3', ['-c', relay, proxy.options.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => python.kill())
  const [device] = (await once(createInterface(python.stdout), 'line')) as [string]
  return device
}

/** Runs a module that has `tcti` and `Tpm` in a process of its own, which no terminal can become the master of. */
async function runModule(device: string, body: string): Promise<string> {
  const source = `
    import { Tpm } from '${native}'
    const tcti = 'device:${device}'
    ${body}`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', source]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  return `${signal ?? code} ${output}`.trim()
}

test.serial('speaks with a device as with a socket', async t => {
  const device = await startDevice(t)
  const ran = await runModule(
    device,
    `
    await using tpm = await Tpm.open(tcti)
    const protection = await tpm.openHandle(0x81010001)
    console.log((await tpm.getRandom(100, { protection })).length)`,
  )
  t.is(ran, '0 100')
})

const readClock = 0x181

/** Has the TPM hold back the answer to each TPM2_ReadClock. */
function holdBack(milliseconds: number): void {
  proxy.options.answer = command => {
    proxy.options.latencyMilliseconds = command.readUInt32BE(6) === readClock ? milliseconds : 0
    return undefined
  }
}

test.serial(
  'gives up an answer that does not come in time, and the connection with it',
  async t => {
    const body = `
    const tpm = await Tpm.open(tcti, { timeoutMilliseconds: 1000 })
    for (let i = 0; i < 2; i++)
      await tpm.readClock().then(() => console.log('answered'), ({ code }) => console.log(code))
    await tpm.close()`
    const device = await startDevice(t)
    holdBack(0)
    t.is(await runModule(device, body), '0 answered\nanswered')
    holdBack(10_000)
    t.is(await runModule(device, body), '0 tpm-unreachable\ntpm-unreachable')
  },
)

test.serial('lets a process exit at once although its device never answers', async t => {
  const device = await startDevice(t)
  holdBack(30_000)
  const ended = await runModule(
    device,
    `
    const tpm = await Tpm.open(tcti)
    void tpm.readClock()
    setTimeout(() => process.exit(9), 30)`,
  )
  t.is(ended, '9')
})
