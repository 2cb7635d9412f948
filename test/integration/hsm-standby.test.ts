import { mkdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { CodedError } from '../../src/core/coded-error.ts'
import { openPkcs11Key } from '../../src/hsm/pkcs11-key.ts'
import {
  activateAuthority,
  destroyAuthorityKey,
  prepareAuthority,
  revokeAuthority,
} from '../../src/services/authority-rotation.ts'
import { FailoverWatch } from '../../src/services/failover.ts'
import { reportSigners, signerOf } from '../../src/services/signer-watch.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createPkcs11Double } from '../../swtpm/pkcs11-double.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'
import { createTestHardware } from '../support/hardware.ts'
import { verifyTestLog } from '../support/test-api.ts'
import { createTestService } from '../support/test-service.ts'
import type { Stage } from '../support/turnover-stage.ts'
import { visitWhile } from '../support/turnovers.ts'
import { until } from '../support/until.ts'

const dir = await createPrivateDirectory('hsm-standby')
const pinFile = join(dir, 'pin')
const secrets = { pin: '24680', soPin: '86428642' }
await writeFile(pinFile, secrets.pin, { mode: 0o600 })
const first = await createToken({ dir: join(dir, 'tokens'), label: 'first', ...secrets })
await createToken({ dir: join(dir, 'tokens'), label: 'second', ...secrets })
process.env['SOFTHSM2_CONF'] = first.environment.SOFTHSM2_CONF
mkdirSync(join(dir, 'double'))
const double = await createPkcs11Double(join(dir, 'double'), first.modulePath)
const uris = {
  issuing: `pkcs11:token=first?module-path=${double.modulePath}&pin-source=${pinFile}`,
  standby: `pkcs11:token=second?module-path=${first.modulePath}&pin-source=${pinFile}`,
}
const isRemoved = { call: '*', answer: { code: 0x32 } } as const

test.afterEach.always(async () => await double.control())
test.after.always(() => discardDirectory(dir))

/** Turns over to an authority whose key was made in a token. */
async function enterToken(stage: Stage, place: 'issuing' | 'standby'): Promise<string> {
  const { service } = stage.api
  const request = { kind: 'root', place, reason: null } as const
  const { authority } = await prepareAuthority(service, 'o', request)
  await stage.follow()
  await activateAuthority(service, 'o', authority.id, { isForced: false, reason: null })
  await stage.renew()
  return authority.id
}

test.serial(
  'a token is removed while it issues: the standby goes on, and no handshake fails',
  async t => {
    const report = await visitWhile(t, createTestHardware(t, uris), async stage => {
      const { service, clock } = stage.api
      const active = await enterToken(stage, 'issuing')
      const { authority: standby } = await prepareAuthority(service, 'o', {
        kind: 'root',
        place: 'standby',
        reason: null,
      })
      t.regex(standby.keyReference, /token=second/)
      await stage.follow()
      t.is(service.authorities.answering(clock.now()).length, 3)
      await until(() => reportSigners(service).signers['standby'] === 'up')
      const watch = new FailoverWatch(service, 0)
      t.is(await watch.look(), undefined)

      await double.control(isRemoved)
      await until(() => reportSigners(service).status === 'hsm_down')
      t.deepEqual(reportSigners(service).signers, { issuing: 'hsm_down', standby: 'up' })
      await t.throwsAsync(stage.renew(), { code: 'signer-down' })
      const early = new FailoverWatch(service, 3_600_000)
      t.is(await early.look(), undefined, 'not before its time')
      let successor = await watch.look()
      for (let round = 0; round < 100 && successor === undefined; round += 1) {
        await new Promise(resolve => setTimeout(resolve, 50))
        successor = await watch.look()
      }
      t.is(successor?.id, standby.id)
      t.deepEqual(reportSigners(service), {
        status: 'ready',
        signers: { retired: 'hsm_down', issuing: 'up' },
      })
      await stage.renew()
      t.is(service.authorities.active().id, standby.id)

      await double.control()
      await until(() => reportSigners(service).signers['retired'] === 'up')
      await enterToken(stage, 'issuing')
      await revokeAuthority(service, 'o', active, 'turned over')
    })
    t.is(report.firstFailure, undefined)
    t.is(report.failedHandshakes, 0)
    t.true(report.handshakes > 5)
  },
)

test.serial(
  'a standby that a host does not know is not activated, and that is on record once',
  async t => {
    await visitWhile(t, createTestHardware(t, uris), async stage => {
      const { service, clock } = stage.api
      await enterToken(stage, 'issuing')
      await prepareAuthority(service, 'o', { kind: 'root', place: 'standby', reason: null })
      service.authorities.answering(clock.now())
      await until(() => reportSigners(service).signers['standby'] === 'up')
      await double.control(isRemoved)
      await until(() => reportSigners(service).status === 'hsm_down')
      const watch = new FailoverWatch(service, 0)
      const refusals = async (): Promise<number> =>
        (await verifyTestLog(service)).filter(({ type }) => type === 'authority.takeover-refused')
          .length
      // A standby that is slow to sign is none for a moment.
      for (let round = 0; round < 100 && (await refusals()) === 0; round += 1) {
        t.is(await watch.look(), undefined)
        await new Promise(resolve => setTimeout(resolve, 50))
      }
      t.is(await watch.look(), undefined)
      t.is(await refusals(), 1)
      await stage.follow()
      let successor = await watch.look()
      for (let round = 0; round < 100 && successor === undefined; round += 1) {
        await new Promise(resolve => setTimeout(resolve, 50))
        successor = await watch.look()
      }
      t.truthy(successor)
      await double.control()
      t.is(await refusals(), 1)
    })
  },
)

test.serial(
  'the key of an authority is made to stay in its token, and goes by an explicit act alone',
  async t => {
    await visitWhile(t, createTestHardware(t, uris), async stage => {
      const { service } = stage.api
      const request = { isForced: false, reason: 'turned over' }
      const old = await enterToken(stage, 'issuing')
      const code = 'authority-state'
      await t.throwsAsync(destroyAuthorityKey(service, 'o', old, request), { code })
      const next = await enterToken(stage, 'standby')
      const record = service.authorities.records.find(({ id }) => id === old)
      const uri = record?.keyReference ?? ''
      const key = await openPkcs11Key(uri)
      const { attributes } = await key.describe()
      await key.close()
      t.like(attributes, {
        CKA_TOKEN: true,
        CKA_PRIVATE: true,
        CKA_SENSITIVE: true,
        CKA_EXTRACTABLE: false,
        CKA_LOCAL: true,
        CKA_SIGN: true,
        CKA_DECRYPT: false,
        CKA_UNWRAP: false,
        CKA_DERIVE: false,
      })

      const needed = destroyAuthorityKey(service, 'o', old, request)
      await t.throwsAsync(needed, { code: 'authority-key-needed' })
      await double.control({ call: 'C_DestroyObject', answer: { code: 0x32 } })
      const forced = { ...request, isForced: true }
      const failed = destroyAuthorityKey(service, 'o', old, forced)
      await t.throwsAsync(failed, { code: 'authority-token-failed' })
      await double.control()
      const done = await destroyAuthorityKey(service, 'o', old, request)
      t.is(typeof done.authority.keyDestroyedAt, 'number')
      await t.throwsAsync(openPkcs11Key(uri), { code: 'pkcs11-key-absent' })
      t.is(service.authorities.find(old), undefined)
      const active = service.authorities.records.find(({ id }) => id === next)
      t.true(active && signerOf(service, active)?.state().isUp)
      await stage.renew()
    })
  },
)

test.serial('a token that is full or away makes no authority', async t => {
  const { service } = await createTestService(t, {}, 3_600, createTestHardware(t, uris))
  const before = service.authorities.records.length
  for (const [code, found] of [
    [0x31, /pkcs11-token-full/],
    [0x32, /CKR_DEVICE_REMOVED/],
  ] as const) {
    await double.control({ call: 'C_GenerateKeyPair', answer: { code } })
    const made = prepareAuthority(service, 'o', { kind: 'root', place: 'issuing', reason: null })
    const error = await t.throwsAsync<CodedError>(made, { code: 'authority-token-failed' })
    t.regex(error?.found ?? '', found)
  }
  await double.control()
  await service.authorities.reload()
  t.is(service.authorities.records.length, before)
})
