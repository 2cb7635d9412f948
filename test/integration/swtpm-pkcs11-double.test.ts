import { join } from 'node:path'
import test from 'ava'
import { PKCS11 } from 'pkcs11js'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { createPkcs11Double } from '../../swtpm/pkcs11-double.ts'
import { createToken } from '../../swtpm/soft-hsm.ts'

const dir = await createPrivateDirectory('pkcs11-double')
const token = await createToken({
  dir: join(dir, 'token'),
  label: 'double',
  pin: '1234',
  soPin: '86428642',
})
process.env['SOFTHSM2_CONF'] = token.environment.SOFTHSM2_CONF
const double = await createPkcs11Double(dir, token.modulePath)
const module = new PKCS11()
module.load(double.modulePath)
module.C_Initialize()

test.after.always(() => {
  module.C_Finalize()
  module.close()
  discardDirectory(dir)
})

const [slot = Buffer.alloc(8)] = module.C_GetSlotList(true)
const random = (): Buffer => {
  const session = module.C_OpenSession(slot, 4)
  try {
    return module.C_GenerateRandom(session, Buffer.alloc(8))
  } finally {
    module.C_CloseSession(session)
  }
}

test.serial('a double without rules is the module that it stands before', t => {
  t.is(module.C_GetTokenInfo(slot).label.trim(), 'double')
  t.notDeepEqual(random(), random())
})

test.serial('it returns any code from any function, after any number of calls', async t => {
  await double.control({ call: 'C_GenerateRandom', after: 4, times: 1, answer: { code: 0x32 } })
  t.notThrows(random)
  t.notThrows(random)
  t.throws(random, { message: 'CKR_DEVICE_REMOVED' })
  t.notThrows(random)
})

test.serial('a rule without a number of times holds until it is taken back', async t => {
  await double.control({ call: 'C_OpenSession', answer: { code: 0xe0 } })
  for (let attempt = 0; attempt < 3; attempt += 1)
    t.throws(random, { message: 'CKR_TOKEN_NOT_PRESENT' })
  await double.control()
  t.notThrows(random)
})

test.serial(
  'a rule can be about every function, and codes of vendors pass as they are',
  async t => {
    await double.control({ call: '*', answer: { code: 0x80000001 } })
    t.is(t.throws(() => module.C_GetTokenInfo(slot)) instanceof Error, true)
    await double.control()
    t.notThrows(() => module.C_GetTokenInfo(slot))
  },
)

test.serial('it is slow where it is told to, and forwards then', async t => {
  await double.control({ call: 'C_GenerateRandom', answer: { delayMs: 150 } })
  const before = performance.now()
  t.is(random().length, 8)
  t.true(performance.now() - before >= 149)
  await double.control()
})

test.serial('it writes down what was called, in its order', async t => {
  const before = (await double.calls()).length
  random()
  t.deepEqual((await double.calls()).slice(before), [
    'C_OpenSession',
    'C_GenerateRandom',
    'C_CloseSession',
  ])
})
