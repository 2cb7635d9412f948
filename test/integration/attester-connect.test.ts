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

test.serial('opens the TPM that is there', async t => {
  const bench = await startTestBench()
  await using tpm = await openTpm(bench.tcti)
  t.is((await tpm.getRandom(8)).length, 8)
  await tpm.close()
  await bench.stop()
})

test.serial('says that there is no TPM, and what to try', async t => {
  const tcti = `device:${join(folder, 'tpmrm0')}`
  const error = await t.throwsAsync(openTpm(tcti), { instanceOf: AttesterError })
  t.is(error.code, 'tpm-absent')
  t.is(error.expected, tcti)
  t.regex(error.hint, /firmware/)
  t.true(error.cause instanceof Tpm2Error)
})

test.serial('says that a software TPM does not run', async t => {
  t.is(await codeOf(`swtpm:path=${join(folder, 'no-socket')}`), 'tpm-absent')
})

test.serial('does not guess why something that is no TPM does not answer as one', async t => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  const error = await t.throwsAsync(async () => {
    await using tpm = await openTpm(`device:${file}`)
    await tpm.getRandom(8)
  })
  t.true(error instanceof Tpm2Error)
})

test.serial('says that this user may not use the TPM, and which group may', async t => {
  const device = join(folder, 'closed')
  await writeFile(device, '')
  await chmod(device, 0o000)
  await chmod(folder, 0o755)
  // The superuser may open anything: the question is put as nobody.
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    const error = await t.throwsAsync(openTpm(`device:${device}`), { instanceOf: AttesterError })
    t.is(error.code, 'tpm-forbidden')
    t.regex(error.hint, /group/)
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
})
