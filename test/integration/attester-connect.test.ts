import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { Tpm2Error } from '../../native/index.ts'
import { openTpm } from '../../src/attester/connect.ts'
import { AttesterError, type AttesterErrorCode } from '../../src/attester/error.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'

const folder = await createPrivateDirectory('connect')
test.after.always(() => discardDirectory(folder))

async function codeOf(tcti: string): Promise<AttesterErrorCode | undefined> {
  const error = await openTpm(tcti).catch((cause: unknown) => cause)
  return error instanceof AttesterError ? error.code : undefined
}

test('opens the TPM that is there', async t => {
  const bench = await startTestBench()
  await using tpm = await openTpm(bench.tcti)
  t.is((await tpm.getRandom(8)).length, 8)
  await tpm.close()
  await bench.stop()
})

test('says that there is no TPM, and what to try', async t => {
  const tcti = `device:${join(folder, 'tpmrm0')}`
  const error = await t.throwsAsync(openTpm(tcti), { instanceOf: AttesterError })
  t.is(error.code, 'tpm-absent')
  t.is(error.expected, tcti)
  t.regex(error.hint, /firmware/)
  t.true(error.cause instanceof Tpm2Error)
})

test('says that a software TPM does not run', async t => {
  t.is(await codeOf(`swtpm:path=${join(folder, 'no-socket')}`), 'tpm-absent')
})

test('does not guess why something that is no TPM does not answer as one', async t => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  const error = await t.throwsAsync(async () => {
    await using tpm = await openTpm(`device:${file}`)
    await tpm.getRandom(8)
  })
  t.true(error instanceof Tpm2Error)
})

test('says that this user may not use the TPM, and which group may', async t => {
  const device = join(folder, 'closed')
  await writeFile(device, '')
  await chmod(device, 0o000)
  await chmod(folder, 0o755)
  const module = JSON.stringify(new URL('../../src/attester/connect.ts', import.meta.url).pathname)
  const source = `
    const { openTpm } = await import(${module})
    const error = await openTpm('device:${device}').catch(cause => cause)
    console.log(error.code, error.hint)`
  const evaluate = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', source]
  // The superuser may open anything: the question is put as nobody.
  const isRoot = process.getuid?.() === 0
  const nobody = ['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath]
  const child = isRoot
    ? spawn('setpriv', [...nobody, ...evaluate], { stdio: ['ignore', 'pipe', 'inherit'] })
    : spawn(process.execPath, evaluate, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  await once(child, 'close')
  t.regex(output, /^tpm-forbidden .*group/)
})
