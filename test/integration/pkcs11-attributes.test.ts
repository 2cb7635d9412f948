import { generateKeyPairSync } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { PKCS11, type Template } from 'pkcs11js'
import { CKA, CKF, CKM, CKU_USER } from '../../src/hsm/pkcs11-constants.ts'
import { Pkcs11Signer } from '../../src/hsm/pkcs11-signer.ts'
import { takeTokenKey } from '../../src/hsm/token-made-key.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { run } from '../../swtpm/programs.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'

const pin = '24680'
const dir = await createPrivateDirectory('pkcs11-attributes')
const pinFile = join(dir, 'pin')
await writeFile(pinFile, pin, { mode: 0o600 })
const how = { dir: join(dir, 'token'), label: 'ca', pin, soPin: '86428642' }
const token = await createToken(how)
process.env['SOFTHSM2_CONF'] = token.environment.SOFTHSM2_CONF

const module = new PKCS11()
module.load(token.modulePath)
module.C_Initialize()
const slot =
  module.C_GetSlotList(true).find(each => module.C_GetTokenInfo(each).label.trim() === 'ca') ??
  Buffer.alloc(8)
const session = module.C_OpenSession(slot, CKF.SERIAL_SESSION | CKF.RW_SESSION)
module.C_Login(session, CKU_USER, pin)

test.after.always(() => {
  module.C_Finalize()
  module.close()
  discardDirectory(dir)
})

/** A key pair with attributes of the test's, which it may change afterwards. */
function makeKey(label: string, attributes: Template, changes: Template = []): void {
  const shared = [
    { type: CKA.TOKEN, value: true },
    { type: CKA.LABEL, value: label },
    { type: CKA.ID, value: Buffer.from(label) },
  ]
  const { privateKey } = module.C_GenerateKeyPair(
    session,
    { mechanism: CKM.EC_KEY_PAIR_GEN },
    [...shared, { type: CKA.EC_PARAMS, value: Buffer.from('06082a8648ce3d030107', 'hex') }],
    [...shared, { type: CKA.PRIVATE, value: true }, { type: CKA.SIGN, value: true }, ...attributes],
  )
  if (changes.length > 0) module.C_SetAttributeValue(session, privateKey, changes)
}

async function importKey(label: string): Promise<void> {
  const file = join(dir, 'outside.pem')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  await writeFile(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 })
  const names = ['--token', 'ca', '--label', label, '--id', 'b1', '--pin', pin]
  await run('softhsm2-util', ['--import', file, ...names])
}

const sensitive = (value: boolean) => ({ type: CKA.SENSITIVE, value })
const extractable = (value: boolean) => ({ type: CKA.EXTRACTABLE, value })

const uriOf = (label: string): string =>
  `pkcs11:token=ca;object=${label}?module-path=${token.modulePath}&pin-source=${pinFile}`

async function openIssuing(label: string): Promise<void> {
  const options = { deadlineMs: 20_000, sessions: 1, onChange: () => undefined } as const
  const signer = await Pkcs11Signer.open({ ...options, role: 'issuing', uri: uriOf(label) })
  await signer.close()
}

test.serial(
  'a key of an authority that was born in its token and cannot leave it is used',
  async t => {
    makeKey('sound', [sensitive(true), extractable(false)])
    await t.notThrowsAsync(openIssuing('sound'))
    await t.notThrowsAsync(takeTokenKey(uriOf('sound')))
  },
)

for (const [attribute, code, make] of [
  [
    'CKA_EXTRACTABLE true',
    'pkcs11-key-extractable',
    (label: string) => makeKey(label, [sensitive(true), extractable(true)]),
  ],
  [
    'CKA_SENSITIVE false',
    'pkcs11-key-not-sensitive',
    (label: string) => makeKey(label, [sensitive(false), extractable(false)]),
  ],
  ['CKA_LOCAL false', 'pkcs11-key-not-local', importKey],
  [
    'CKA_NEVER_EXTRACTABLE false',
    'pkcs11-key-once-extractable',
    (label: string) => makeKey(label, [sensitive(true), extractable(true)], [extractable(false)]),
  ],
  [
    'CKA_ALWAYS_SENSITIVE false',
    'pkcs11-key-once-insensitive',
    (label: string) => makeKey(label, [sensitive(false), extractable(false)], [sensitive(true)]),
  ],
  [
    'CKA_SIGN false',
    'pkcs11-key-unsuitable',
    (label: string) =>
      makeKey(label, [sensitive(true), extractable(false), { type: CKA.SIGN, value: false }]),
  ],
] as const)
  test.serial(
    `the key of an authority with ${attribute} is refused, at init and at a start`,
    async t => {
      const label = attribute.replaceAll(/\W/g, '-')
      await make(label)
      await t.throwsAsync(openIssuing(label), { code })
      await t.throwsAsync(takeTokenKey(uriOf(label)), { code })
    },
  )
