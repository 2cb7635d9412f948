import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'
import { createStage } from './cli-fixtures.ts'

const pin = '97531'
const tokenDirectory = await createPrivateDirectory('assay-cli-token')
const token = await createToken({
  dir: join(tokenDirectory, 'token'),
  label: 'operators',
  pin,
  soPin: '86428642',
})
const pinFile = join(tokenDirectory, 'pin')
await writeFile(pinFile, `${pin}\n`, { mode: 0o600 })
const stage = await createStage({ ...token.environment, ASSAY_PIN_SOURCE: pinFile })
const { assay, directory, issuer } = stage
const uri = `pkcs11:token=operators;object=alice?module-path=${token.modulePath}`
const init = ['init', '--issuer', issuer, '--key', uri]

test.after.always(async () => {
  await stage.close()
  discardDirectory(tokenDirectory)
})

test.serial('a key that the token does not have is not made unless it is asked for', async t => {
  const absent = await assay(init)
  t.is(absent.status, 1)
  t.is(absent.code, 'pkcs11-key-absent')
  const file = await assay(['init', '--issuer', issuer, '--create-key'])
  t.is(file.status, 2)
  t.is(file.code, 'usage-contradiction')
})

test.serial('an operator’s key can live in a PKCS#11 token, and works from there', async t => {
  const made = await assay([...init, '--create-key', '--json'])
  t.is(made.status, 0, made.stderr)
  t.like(made.json(), { operator: { keyProtection: 'pkcs11' } })
  await stage.serve()
  const listed = await assay(['operator', 'list'])
  t.is(listed.status, 0, listed.stderr)
  t.regex(listed.stdout, /admin +administrator +pkcs11 +active/)
  t.is((await assay(['audit', 'verify'])).status, 0)
})

test.serial('the home remembers the URI and no PIN, and holds no key', async t => {
  const operator = await readFile(join(directory, 'operator', 'operator.json'), 'utf8')
  t.true(operator.includes(uri))
  t.false(operator.includes(pin))
  await t.throwsAsync(readFile(join(directory, 'operator', 'operator.key.pem')), { code: 'ENOENT' })
})

test.serial('a PIN on the command line is refused as wrong usage, and not repeated', async t => {
  const line = ['init', '--issuer', issuer, '--key', `${uri}&pin-value=${pin}`]
  const refused = await assay(line, { home: 'other' })
  t.is(refused.status, 2)
  t.false(`${refused.stdout}${refused.stderr}`.includes(pin))
})

test.serial(
  'without its PIN, or with one that others can read, the operator is nobody',
  async t => {
    const none = await assay(['operator', 'list'], {
      env: { ASSAY_PIN_SOURCE: join(directory, 'no') },
    })
    t.is(none.status, 1)
    t.is(none.code, 'pkcs11-pin-absent')
    await chmod(pinFile, 0o640)
    const exposed = await assay(['operator', 'list'])
    await chmod(pinFile, 0o600)
    t.is(exposed.status, 1)
    t.is(exposed.code, 'pkcs11-pin-exposed')
    const wrongFile = join(tokenDirectory, 'wrong')
    await writeFile(wrongFile, '000000', { mode: 0o600 })
    const wrong = await assay(['operator', 'list'], { env: { ASSAY_PIN_SOURCE: wrongFile } })
    t.is(wrong.status, 1)
    t.is(wrong.code, 'pkcs11-pin-wrong')
    t.is((await assay(['operator', 'list'])).status, 0)
  },
)
