import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { EmulatorError } from '../../swtpm/emulator-error.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { run } from '../../swtpm/programs.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'

const home = await createPrivateDirectory('softhsm-test')
test.after.always(() => discardDirectory(home))

test.serial('makes a token that only its own configuration shows', async t => {
  const dir = join(home, 'token')
  const token = await createToken({ dir, label: 'assay test', pin: '1234', soPin: '12345678' })
  const listing = ['--module', token.modulePath, '--list-token-slots']
  t.regex(
    await run('pkcs11-tool', listing, { env: token.environment }),
    /token label\s*: assay test/,
  )
  const key = [
    '--module',
    token.modulePath,
    '--token-label',
    token.tokenLabel,
    '--login',
    '--pin',
    '1234',
  ]
  await run(
    'pkcs11-tool',
    [...key, '--keypairgen', '--key-type', 'EC:prime256v1', '--label', 'k'],
    { env: token.environment },
  )
  t.is(statSync(dir).mode & 0o777, 0o700)
  await token.discard()
  t.false(existsSync(dir))
})

test.serial('refuses a PIN that SoftHSM refuses', async t => {
  const refused = createToken({ dir: join(home, 'bad'), label: 'x', pin: '', soPin: '1' })
  t.is((await t.throwsAsync(refused, { instanceOf: EmulatorError })).code, 'emulator-failed')
})

test.serial('says that SoftHSM is missing and what to install', async t => {
  const path = process.env['PATH']
  process.env['PATH'] = home
  try {
    const missing = createToken({
      dir: join(home, 'none'),
      label: 'x',
      pin: '1234',
      soPin: '12345678',
    })
    const error = await t.throwsAsync(missing, { instanceOf: EmulatorError })
    t.is(error.code, 'softhsm-missing')
    t.regex(error.hint, /softhsm2/)
  } finally {
    process.env['PATH'] = path
  }
})
