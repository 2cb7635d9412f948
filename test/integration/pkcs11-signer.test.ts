import { createPublicKey, verify } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openPkcs11Key } from '../../src/hsm/pkcs11-key.ts'
import { Pkcs11Signer } from '../../src/hsm/pkcs11-signer.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createPkcs11Double, type Pkcs11Double } from '../../swtpm/pkcs11-double.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'
import { until } from '../support/until.ts'

const dir = await createPrivateDirectory('pkcs11-signer')
const pinFile = join(dir, 'pin')
const wrongPinFile = join(dir, 'wrong')
const token = await createToken({
  dir: join(dir, 'token'),
  label: 'ca',
  pin: '24680',
  soPin: '86428642',
})
process.env['SOFTHSM2_CONF'] = token.environment.SOFTHSM2_CONF
await writeFile(pinFile, '24680', { mode: 0o600 })
await writeFile(wrongPinFile, '13579', { mode: 0o600 })
const built = await createPkcs11Double(dir, token.modulePath)

test.after.always(() => discardDirectory(dir))

let count = 0

interface Stage {
  readonly double: Pkcs11Double
  readonly uri: string
  readonly changes: string[]
  open(options?: {
    uri?: string
    publicKey?: Uint8Array
    deadlineMs?: number
  }): Promise<Pkcs11Signer>
}

/** A double of its own before the one token, and a key behind it, which was made past the double. */
async function createStage(t: ExecutionContext): Promise<Stage> {
  count += 1
  const place = join(dir, `double-${count}`)
  mkdirSync(place)
  const double = await built.copyTo(place)
  const names = `pkcs11:token=ca;object=key-${count}`
  const pin = `pin-source=${pinFile}`
  const plain = `${names}?module-path=${token.modulePath}&${pin}`
  await (await openPkcs11Key(plain, { create: true })).close()
  const uri = `${names}?module-path=${double.modulePath}&${pin}`
  const changes: string[] = []
  const open: Stage['open'] = async options => {
    const signer = await Pkcs11Signer.open({
      role: 'issuing',
      uri,
      deadlineMs: 5_000,
      sessions: 4,
      onChange: changed => changes.push(changed.state().isUp ? 'up' : 'down'),
      ...options,
    })
    t.teardown(async () => await signer.close())
    return signer
  }
  return { double, uri, changes, open }
}

function isSigned(signer: Pkcs11Signer, message: Uint8Array, signature: Uint8Array): boolean {
  const der = Buffer.from(signer.publicKey)
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

const message = Buffer.from('what is signed')
const countOf = async ({ double }: Stage, call: string): Promise<number> =>
  (await double.calls()).filter(name => name === call).length
const logins = async (stage: Stage): Promise<number> => await countOf(stage, 'C_Login')

/** Until the library was started three times more: with each look at a token that is away. */
async function untilStarted(stage: Stage): Promise<void> {
  const before = await countOf(stage, 'C_Initialize')
  await until(async () => (await countOf(stage, 'C_Initialize')) >= before + 3)
}

/** As long as a signer beside needs for that: one that tried again as well would have come as far. */
async function waitBeside(other: Stage): Promise<void> {
  await other.double.control({ call: '*', answer: { code: 0x32 } })
  await untilStarted(other)
}

for (const [name, code] of [
  ['CKR_SESSION_HANDLE_INVALID', 0xb3],
  ['CKR_SESSION_CLOSED', 0xb0],
  ['CKR_KEY_HANDLE_INVALID', 0x60],
  ['CKR_USER_NOT_LOGGED_IN', 0x101],
] as const) {
  test.serial(`after ${name} the caller gets a signature all the same`, async t => {
    const stage = await createStage(t)
    const signer = await stage.open()
    await stage.double.control({ call: 'C_SignInit', times: 1, answer: { code } })
    t.true(isSigned(signer, message, await signer.sign(message)))
    t.deepEqual(stage.changes, [])
  })
}

for (const [name, code] of [
  ['CKR_DEVICE_REMOVED', 0x32],
  ['CKR_DEVICE_ERROR', 0x30],
  ['CKR_TOKEN_NOT_PRESENT', 0xe0],
  ['CKR_CRYPTOKI_NOT_INITIALIZED', 0x190],
  ['a code of a vendor', 0x80000007],
] as const) {
  test.serial(`after ${name} while it signs the signer is down, and comes back`, async t => {
    const stage = await createStage(t)
    const signer = await stage.open()
    await stage.double.control({ call: 'C_Sign', answer: { code } })
    await t.throwsAsync(async () => await signer.sign(message), { code: 'signer-down' })
    t.false(signer.state().isUp)
    const before = (await stage.double.calls()).length
    await t.throwsAsync(async () => await signer.sign(message), { code: 'signer-down' })
    t.deepEqual(
      (await stage.double.calls()).slice(before).filter(n => n === 'C_Sign'),
      [],
    )
    await stage.double.control()
    await until(() => signer.state().isUp)
    t.true(isSigned(signer, message, await signer.sign(message)))
    t.deepEqual(stage.changes, ['down', 'up'])
  })
}

test.serial('a token that is pulled out is seen without anybody signing', async t => {
  const stage = await createStage(t)
  const signer = await stage.open()
  await stage.double.control({ call: '*', answer: { code: 0x32 } })
  await until(() => !signer.state().isUp)
  t.like(signer.state(), { isUp: false, reason: 'CKR_DEVICE_REMOVED' })
  t.deepEqual(stage.changes, ['down'])
})

test.serial('a call that hangs is given up, its process replaced', async t => {
  const stage = await createStage(t)
  const signer = await stage.open({ deadlineMs: 600 })
  await stage.double.control({ call: 'C_Sign', answer: 'hang' })
  const refused = await t.throwsAsync(async () => await signer.sign(message))
  t.like(refused, { code: 'signer-down', found: 'issuing: pkcs11-timeout' })
  await stage.double.control()
  await until(() => signer.state().isUp)
  t.true(isSigned(signer, message, await signer.sign(message)))
})

test.serial('a wrong PIN is tried once, however long the signer runs', async t => {
  const stage = await createStage(t)
  const other = await createStage(t)
  const { publicKey } = await other.open()
  const signer = await stage.open({ uri: stage.uri.replace(pinFile, wrongPinFile), publicKey })
  t.like(signer.state(), { isUp: false, reason: 'CKR_PIN_INCORRECT' })
  await t.throwsAsync(async () => await signer.sign(message), { code: 'signer-down' })
  await waitBeside(other)
  t.is(await logins(stage), 1)
  t.deepEqual(stage.changes, ['down'])
})

test.serial('a PIN that is locked is not tried again', async t => {
  const stage = await createStage(t)
  const other = await createStage(t)
  const { publicKey } = await other.open()
  await stage.double.control({ call: 'C_Login', answer: { code: 0xa4 } })
  const signer = await stage.open({ publicKey })
  t.like(signer.state(), { isUp: false, reason: 'CKR_PIN_LOCKED' })
  await stage.double.control()
  await waitBeside(other)
  t.is(await logins(stage), 1)
})

test.serial('a re-login that is refused ends all attempts', async t => {
  const stage = await createStage(t)
  const other = await createStage(t)
  await other.open()
  const signer = await stage.open()
  const before = await logins(stage)
  await stage.double.control(
    { call: 'C_SignInit', answer: { code: 0xb3 } },
    { call: 'C_Login', answer: { code: 0xa0 } },
  )
  await t.throwsAsync(async () => await signer.sign(message), { code: 'signer-down' })
  await stage.double.control()
  await waitBeside(other)
  t.is(await logins(stage), before + 1)
  t.like(signer.state(), { isUp: false, reason: 'CKR_PIN_INCORRECT' })
})

test.serial('a token without room for a key says so', async t => {
  const stage = await createStage(t)
  await stage.double.control({ call: 'C_GenerateKeyPair', answer: { code: 0x31 } })
  const uri = stage.uri.replace('object=key', 'object=another')
  await t.throwsAsync(openPkcs11Key(uri, { create: true }), { code: 'pkcs11-token-full' })
})

test.serial(
  'signers of one token log in once, together, and never again with a wrong PIN',
  async t => {
    const stage = await createStage(t)
    const other = await createStage(t)
    const { publicKey } = await other.open()
    const uri = stage.uri.replace(pinFile, wrongPinFile)
    const signers = await Promise.all(
      [1, 2, 3].map(async () => await stage.open({ uri, publicKey })),
    )
    t.true(signers.every(signer => signer.state().reason === 'CKR_PIN_INCORRECT'))
    await waitBeside(other)
    t.is(await logins(stage), 1)
  },
)

for (const [call, after] of [
  ['C_Initialize', 0],
  ['C_GetSlotList', 0],
  ['C_GetTokenInfo', 0],
  ['C_OpenSession', 0],
  ['C_OpenSession', 1],
  ['C_FindObjectsInit', 0],
  ['C_FindObjects', 1],
  ['C_FindObjectsFinal', 0],
  ['C_GetAttributeValue', 3],
  ['C_SignInit', 0],
  ['C_Sign', 0],
] as const)
  test.serial(
    `a signer comes back and signs where ${call} is set to fail once, after ${after} calls`,
    async t => {
      const stage = await createStage(t)
      const twin = await stage.open()
      const { publicKey } = twin
      await twin.close()
      const before = await countOf(stage, call)
      await stage.double.control({ call, after, times: 1, answer: { code: 0x30 } })
      const signer = await stage.open({ publicKey })
      await signer.sign(message).catch(() => undefined)
      const calls = (await countOf(stage, call)) - before
      t.true(calls > after, `${calls} calls`)
      await stage.double.control()
      await until(() => signer.state().isUp)
      t.true(isSigned(signer, message, await signer.sign(message)))
      t.deepEqual(stage.changes, ['down', 'up'])
    },
  )

test.serial(
  'a login that fails, whatever it says, is not repeated before the next start',
  async t => {
    const stage = await createStage(t)
    const other = await createStage(t)
    const { publicKey } = await other.open()
    await stage.double.control({ call: 'C_Login', answer: { code: 0x30 } })
    const signer = await stage.open({ publicKey })
    await stage.double.control()
    await untilStarted(stage)
    t.false(signer.state().isUp)
    t.is(await logins(stage), 1)
  },
)

test.serial('another key under the name of the known one is not used', async t => {
  const stage = await createStage(t)
  const other = await createStage(t)
  const { publicKey } = await other.open()
  await t.throwsAsync(stage.open({ publicKey }), { code: 'pkcs11-key-changed' })
  await t.notThrowsAsync(other.open({ publicKey }))
})
