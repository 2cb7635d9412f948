import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { verifyCheckpoint } from '../../src/core/log/checkpoint.ts'
import { verifierOfSpki } from '../../src/core/log/note-key.ts'
import { Pkcs11Signer } from '../../src/hsm/pkcs11-signer.ts'
import { takeTokenKey } from '../../src/hsm/token-made-key.ts'
import { openSqliteStore } from '../../src/storage/sqlite-store.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createPkcs11Double } from '../../swtpm/pkcs11-double.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'
import { until } from '../support/until.ts'

const dir = await createPrivateDirectory('pkcs11-log')
const pinFile = join(dir, 'pin')
await writeFile(pinFile, '24680', { mode: 0o600 })
const how = { dir: join(dir, 'token'), label: 'log', pin: '24680', soPin: '86428642' }
const token = await createToken(how)
process.env['SOFTHSM2_CONF'] = token.environment.SOFTHSM2_CONF
mkdirSync(join(dir, 'double'))
const double = await createPkcs11Double(join(dir, 'double'), token.modulePath)
const uriOf = (name: string): string =>
  `pkcs11:token=log;object=${name}?module-path=${double.modulePath}&pin-source=${pinFile}`
const logOrigin = 'log.example/audit'

test.afterEach.always(async () => await double.control())
test.after.always(() => discardDirectory(dir))

const entry = { type: 'test', time: 1, actor: 'service', subject: 's', detail: {} } as const

test.serial(
  'the key of the log is made in the token, and signs what was written without it',
  async t => {
    const publicKey = await takeTokenKey(uriOf('log'), 'Ed25519')
    t.deepEqual(await takeTokenKey(uriOf('log'), 'Ed25519'), publicKey)
    const options = { deadlineMs: 20_000, sessions: 1, onChange: () => undefined } as const
    const signer = await Pkcs11Signer.open({
      ...options,
      role: 'log',
      uri: uriOf('log'),
      publicKey,
    })
    const logKey = { publicKey, sign: async (message: Uint8Array) => await signer.sign(message) }
    const store = await openSqliteStore({ path: ':memory:', logOrigin, logKey })
    t.teardown(async () => {
      await store.close()
      await signer.close()
    })
    const verifier = verifierOfSpki(logOrigin, publicKey)
    const isSigned = async (size: number): Promise<boolean> => {
      const checkpoint = await store.audit.checkpoint().catch(() => undefined)
      return checkpoint !== undefined && verifyCheckpoint(checkpoint, verifier).size === size
    }
    await store.audit.append(entry)
    await until(async () => await isSigned(1))
    await double.control({ call: '*', answer: { code: 0x32 } })
    for (let n = 0; n < 3; n += 1) await store.audit.append(entry)
    await until(() => !signer.state().isUp)
    t.true(await isSigned(1))
    await double.control()
    await until(async () => await isSigned(4))
  },
)

for (const [name, code] of [
  ['mechanism', 0x70],
  ['curve', 0x140],
] as const)
  test.serial(`a token that does not know the ${name} of the log’s key says so`, async t => {
    await double.control({ call: 'C_GenerateKeyPair', answer: { code } })
    const made = takeTokenKey(uriOf(`other-${name}`), 'Ed25519')
    await t.throwsAsync(made, { code: 'pkcs11-kind-absent' })
  })

test.serial('a key for other signatures is no key of the log, nor the other way round', async t => {
  const code = 'pkcs11-key-unsuitable'
  await takeTokenKey(uriOf('ec'))
  await t.throwsAsync(takeTokenKey(uriOf('ec'), 'Ed25519'), { code })
  await takeTokenKey(uriOf('edwards'), 'Ed25519')
  await t.throwsAsync(takeTokenKey(uriOf('edwards')), { code })
})
