import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import test from 'ava'
import { HandleRange, Tpm } from '../../native/index.ts'
import { EmulatorError } from '../../swtpm/emulator-error.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createManufacturer } from '../../swtpm/manufacturer.ts'
import { run } from '../../swtpm/programs.ts'
import { startFleet } from '../../swtpm/fleet.ts'
import { manufactureTpm, startTestBench, startTpm } from '../../swtpm/software-tpm.ts'
import { startSwtpm } from '../../swtpm/swtpm-process.ts'

const home = await createPrivateDirectory('swtpm-test')
const manufacturer = await createManufacturer(join(home, 'manufacturer'))
test.after.always(() => discardDirectory(home))

const certificates = [0x01c00002, 0x01c0000a, 0x01c00016, 0x01c0001c]
const chainIndex = 0x01c00100

test.serial('manufactures a TPM whose endorsement keys its manufacturer certifies', async t => {
  const dir = join(home, 'many-keys')
  await manufactureTpm({ dir, manufacturer, endorsementKeys: ['ecc-p256', 'rsa-3072'] })
  const running = await startTpm({ dir })
  await using tpm = await Tpm.open(running.tcti)
  t.deepEqual(await tpm.handles(HandleRange.nvIndex), [...certificates, chainIndex])
  const root = new X509Certificate(manufacturer.rootCertificate)
  const issuer = new X509Certificate(manufacturer.issuerCertificate)
  t.true(root.verify(root.publicKey) && issuer.verify(root.publicKey))
  t.deepEqual(Buffer.from(await tpm.nvRead({ index: chainIndex })), issuer.raw)
  for (const index of certificates)
    t.true(new X509Certificate(await tpm.nvRead({ index })).verify(issuer.publicKey))
  t.deepEqual(await tpm.handles(HandleRange.transient), [])
  await tpm.close()
  await running.stop()
})

test.serial('runs a fleet of one manufacturer, each TPM with keys of its own', async t => {
  const fleet = await startFleet(6)
  const issuer = new X509Certificate(fleet.manufacturer.issuerCertificate)
  const names = await Promise.all(
    fleet.tpms.map(async ({ tcti }) => {
      await using tpm = await Tpm.open(tcti)
      const certificate = new X509Certificate(await tpm.nvRead({ index: 0x01c00002 }))
      t.true(certificate.verify(issuer.publicKey))
      return Buffer.from((await tpm.openHandle(0x81010001)).name).toString('hex')
    }),
  )
  t.is(new Set(names).size, 6)
  const sockets = fleet.tpms.map(({ socketPath }) => socketPath)
  t.true(sockets.every(socket => commandLinesWith(`path=${socket},`).length > 0))
  await fleet.stop()
  t.true(sockets.every(socket => commandLinesWith(`path=${socket},`).length === 0))
  t.false(sockets.some(socket => existsSync(dirname(socket))))
})

test.serial('leaves no TPM of a fleet running when one cannot be made', async t => {
  const failing = startFleet(3, { pcrBanks: 'no-such-bank' })
  t.is((await t.throwsAsync(failing, { instanceOf: EmulatorError })).code, 'emulator-failed')
  t.deepEqual(commandLinesWith('assay-fleet'), [])
})

test.serial('keeps the endorsement key over a reset, which counts', async t => {
  const bench = await startTestBench()
  await using tpm = await Tpm.open(bench.tcti)
  const before = await tpm.openHandle(0x81010001)
  const count = Buffer.from(await tpm.readClock()).readUInt32BE(16)
  await bench.reset()
  await bench.reset('abrupt')
  await using again = await Tpm.open(bench.tcti)
  t.deepEqual((await again.openHandle(0x81010001)).name, before.name)
  t.is(Buffer.from(await again.readClock()).readUInt32BE(16), count + 2)
  await bench.stop()
})

test.serial(
  'listens in a directory that nobody else may enter, and leaves nothing when it stops',
  async t => {
    const bench = await startTestBench({ latencyMilliseconds: 1 })
    const directory = dirname(bench.socketPath)
    t.is(statSync(directory).mode & 0o777, 0o700)
    const tpm = await Tpm.open(bench.tcti)
    t.is((await tpm.getRandom(8)).length, 8)
    await tpm.close()
    await bench.stop()
    t.false(existsSync(directory))
  },
)

for (const end of [
  'process.exit(3)',
  'process.kill(process.pid, "SIGTERM")',
  'throw new Error("no")',
]) {
  test.serial(`leaves neither process nor directory behind after ${end}`, async t => {
    const module = new URL('../../swtpm/software-tpm.ts', import.meta.url).href
    const source = `
      import { startTestBench } from '${module}'
      const bench = await startTestBench()
      console.log(bench.socketPath)
      ${end}`
    const child = spawn(process.execPath, ['--input-type=module', '--eval', source])
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await once(child, 'close')
    const socket = output.trim()
    t.regex(socket, /\/tpm$/)
    t.false(existsSync(dirname(socket)))
    t.deepEqual(commandLinesWith(`path=${socket},`), [])
  })
}

test.serial('ends with a process that is killed outright', async t => {
  const module = new URL('../../swtpm/software-tpm.ts', import.meta.url).href
  const dir = join(home, 'killed')
  await manufactureTpm({ dir, manufacturer })
  const source = `
    import { startTpm } from '${module}'
    const tpm = await startTpm({ dir: '${dir}' })
    console.log(tpm.socketPath)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source])
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const socket = line.toString().trim()
  child.kill('SIGKILL')
  await once(child, 'close')
  // The kernel has sent the signal by now; a busy machine may take a while to let the process see it.
  const deadline = performance.now() + 20_000
  while (commandLinesWith(`path=${socket},`).length > 0 && performance.now() < deadline)
    await pause(10)
  await t.throwsAsync(Tpm.open(`swtpm:path=${socket}`), { code: 'tpm-unreachable' })
  discardDirectory(dirname(socket))
  await run('rm', ['-r', dirname(socket)])
})

test.serial('says which program is missing and what to install', async t => {
  const path = process.env['PATH']
  process.env['PATH'] = home
  try {
    const started = await t.throwsAsync(startSwtpm(home, join(home, 's')), {
      instanceOf: EmulatorError,
    })
    t.is(started.code, 'emulator-program-missing')
    t.regex(started.hint, /apt-get install swtpm/)
    const made = await t.throwsAsync(manufactureTpm({ dir: join(home, 'x'), manufacturer }), {
      instanceOf: EmulatorError,
    })
    t.is(made.code, 'emulator-program-missing')
  } finally {
    process.env['PATH'] = path
  }
})

test.serial('says what a program complained of', async t => {
  const error = await t.throwsAsync(run('sh', ['-c', 'echo trouble >&2; exit 3']), {
    instanceOf: EmulatorError,
  })
  t.is(error.code, 'emulator-failed')
  t.regex(error.found ?? '', /^3: trouble/)
})

test.serial(
  'refuses a socket path that is too long, and a state directory that is not there',
  async t => {
    const long = await t.throwsAsync(startSwtpm(home, join(home, 'x'.repeat(108))), {
      instanceOf: EmulatorError,
    })
    t.is(long.code, 'emulator-path-too-long')
    const nowhere = await t.throwsAsync(startSwtpm(join(home, 'nowhere'), join(home, 's')), {
      instanceOf: EmulatorError,
    })
    t.is(nowhere.code, 'emulator-not-listening')
  },
)

/** The command lines of the processes of this machine that hold a text. */
function commandLinesWith(text: string): string[] {
  const pids = readdirSync('/proc').filter(name => /^\d+$/.test(name))
  return pids.map(commandLine).filter(line => line.includes(text))
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // it has ended meanwhile
  }
}
