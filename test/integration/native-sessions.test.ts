import { createHash } from 'node:crypto'
import { join } from 'node:path'
import test from 'ava'
import {
  HashAlgorithm,
  Hierarchy,
  Tpm,
  Tpm2Error,
  activateWithEndorsementPolicy,
} from '../../native/index.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { startProxy } from '../../swtpm/tpm-proxy.ts'
import {
  census,
  empty,
  makeCredential,
  octets,
  pcrSelection,
  primary,
  templates,
} from './native-fixtures.ts'

// PolicySecret(endorsement), and the branches of PolicyB: TCG EK Credential Profile 2.5 §B.6.
const policyA = octets('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa')
const branches384 = [
  octets(
    '8bbf2266537c171cb56e403c4dc1d4b64f432611dc386e6f532050c3278c930e143e8bb1133824ccb431053871c6db53',
  ),
  octets(
    'd6032ce61f2fb3c240eb3cf6a33237ef2b6a16f4293c22b455e261cffd217ad5b4947c2d73e63005eed2dc2b3593d165',
  ),
]
const secret = Buffer.from('a secret of thirty-two octets !!')
const rsaKey = 0x81010001
const eccKey = 0x81010016

// Every answer and command that crosses the bus of this file's TPM.
const bus: Buffer[] = []
const bench = await startTestBench()
const sockets = await createPrivateDirectory('bus')
const proxy = await startProxy({
  target: bench.socketPath,
  path: join(sockets, 'tpm'),
  observe: (command, answer) => bus.push(command, answer),
})
test.beforeEach(() => bus.splice(0))
test.after.always(async () => {
  await proxy.stop()
  await bench.stop()
  discardDirectory(sockets)
})

function crossedInClear(octetsSought: Uint8Array): boolean {
  return Buffer.concat(bus).includes(Buffer.from(octetsSought))
}

for (const [name, handle, options] of [
  ['low-range RSA', rsaKey, {}],
  ['high-range P-384', eccKey, { nameAlg: HashAlgorithm.sha384, policyOr: branches384 }],
] as const) {
  test.serial(
    `activates a credential by the policy of a ${name} endorsement key, unseen on the bus`,
    async t => {
      await using tpm = await Tpm.open(proxy.tcti)
      const key = await tpm.openHandle(handle)
      await using activate = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
      const credential = await makeCredential(
        (await tpm.readPublic(key)).public,
        activate.name,
        secret,
      )
      const found = await activateWithEndorsementPolicy(
        tpm,
        { activate, key, ...credential, protection: key },
        options,
      )
      t.deepEqual(Buffer.from(found), secret)
      t.false(crossedInClear(secret))
      t.deepEqual(await census(tpm), { ...empty, transient: 1 })
    },
  )
}

test.serial('shows the secret on the bus when the command is not protected', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const key = await tpm.openHandle(rsaKey)
  await using activate = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
  const credential = await makeCredential((await tpm.readPublic(key)).public, activate.name, secret)
  t.deepEqual(
    Buffer.from(await activateWithEndorsementPolicy(tpm, { activate, key, ...credential })),
    secret,
  )
  t.true(crossedInClear(secret))
})

test.serial('activates with a high-range key by its empty authValue alone', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const key = await tpm.openHandle(eccKey)
  await using activate = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
  const credential = await makeCredential((await tpm.readPublic(key)).public, activate.name, secret)
  t.deepEqual(
    Buffer.from(await tpm.activateCredential({ activate, key, ...credential, protection: key })),
    secret,
  )
  t.false(crossedInClear(secret))
})

test.serial('refuses a credential for another key, and flushes the policy session', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const key = await tpm.openHandle(rsaKey)
  await using activate = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
  const credential = await makeCredential((await tpm.readPublic(key)).public, key.name, secret)
  const refused = activateWithEndorsementPolicy(tpm, {
    activate,
    key,
    ...credential,
    protection: key,
  })
  const error = await t.throwsAsync(refused, { instanceOf: Tpm2Error })
  t.is(error.symbol, 'TPM_RC_INTEGRITY')
  t.deepEqual(await census(tpm), { ...empty, transient: 1 })
})

test.serial('refuses a policy session that did not satisfy the policy', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const key = await tpm.openHandle(rsaKey)
  await using activate = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
  const credential = await makeCredential((await tpm.readPublic(key)).public, activate.name, secret)
  await using keySession = await tpm.startPolicySession()
  const refused = tpm.activateCredential({ activate, key, keySession, ...credential })
  t.is((await t.throwsAsync(refused, { instanceOf: Tpm2Error })).code, 'tpm-policy-failed')
})

test.serial('collects policies: PolicySecret, PolicyPCR, PolicyOR', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  await using session = await tpm.startPolicySession()
  t.deepEqual(Buffer.from(await tpm.policyGetDigest(session)), Buffer.alloc(32))
  await tpm.policySecret({ session, authority: Hierarchy.endorsement })
  t.deepEqual(Buffer.from(await tpm.policyGetDigest(session)), policyA)
  await tpm.policyOr(session, [policyA, Buffer.alloc(32)])
  const joined = Buffer.concat([Buffer.alloc(32), octets('00000171'), policyA, Buffer.alloc(32)])
  t.deepEqual(
    Buffer.from(await tpm.policyGetDigest(session)),
    createHash('sha256').update(joined).digest(),
  )
  t.is(
    (await t.throwsAsync(tpm.policyOr(session, [policyA, policyA]), { instanceOf: Tpm2Error }))
      .symbol,
    'TPM_RC_VALUE',
  )
})

test.serial('binds a policy to PCRs as they are, or as they are said to be', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const selection = pcrSelection(HashAlgorithm.sha256, 0, 7)
  const { digests } = await tpm.pcrRead(selection)
  const pcrDigest = createHash('sha256').update(Buffer.concat(digests)).digest()
  await using now = await tpm.startPolicySession()
  await tpm.policyPcr(now, selection)
  await using said = await tpm.startPolicySession()
  await tpm.policyPcr(said, selection, pcrDigest)
  t.deepEqual(await tpm.policyGetDigest(now), await tpm.policyGetDigest(said))
  const extended = Buffer.concat([Buffer.alloc(32), octets('0000017f'), selection, pcrDigest])
  t.deepEqual(
    Buffer.from(await tpm.policyGetDigest(now)),
    createHash('sha256').update(extended).digest(),
  )
  const wrong = tpm.policyPcr(said, selection, Buffer.alloc(32))
  t.is((await t.throwsAsync(wrong, { instanceOf: Tpm2Error })).symbol, 'TPM_RC_VALUE')
})

test.serial('encrypts random octets, a new key’s authValue and sealed data on the bus', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const protection = await tpm.openHandle(rsaKey)
  const random = await tpm.getRandom(32, { protection })
  t.false(crossedInClear(random))
  const bare = await tpm.getRandom(32)
  t.true(crossedInClear(bare))
  await using parent = await primary(tpm, templates.storageParent)
  const userAuth = Buffer.from('the authValue')
  const data = Buffer.from('the sealed data')
  await tpm.create({ parent, public: templates.sealed, userAuth, data, protection })
  t.false(crossedInClear(userAuth))
  t.false(crossedInClear(data))
  await tpm.create({ parent, public: templates.sealed, userAuth, data })
  t.true(crossedInClear(userAuth))
  t.true(crossedInClear(data))
})

test.serial('protects many commands with one session, of which the TPM keeps one', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const key = await tpm.openHandle(rsaKey)
  await using protection = await tpm.startProtection(key)
  t.true(protection.isSession)
  for (let i = 0; i < 10; i++) t.false(crossedInClear(await tpm.getRandom(32, { protection })))
  t.deepEqual(await census(tpm), { transient: 0, loaded: 1, active: 0 })
})

test.serial('keeps a protecting session usable after a command in it was refused', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const key = await tpm.openHandle(rsaKey)
  await using protection = await tpm.startProtection(key)
  await using parent = await primary(tpm, templates.storageParent)
  const wrong = tpm.create({
    parent,
    parentAuth: Buffer.from('no'),
    public: templates.signingKey,
    protection,
  })
  await t.throwsAsync(wrong, { instanceOf: Tpm2Error })
  await t.notThrowsAsync(tpm.create({ parent, public: templates.signingKey, protection }))
})

test.serial('proves two authValues in one command without sending either', async t => {
  await using tpm = await Tpm.open(proxy.tcti)
  const protection = await tpm.openHandle(rsaKey)
  const [objectAuth, signerAuth] = [Buffer.from('object auth'), Buffer.from('signer auth')]
  const made = { hierarchy: Hierarchy.owner, protection }
  await using object = (
    await tpm.createPrimary({ ...made, public: templates.signingKey, userAuth: objectAuth })
  ).handle
  await using signer = (
    await tpm.createPrimary({ ...made, public: templates.attestationKey, userAuth: signerAuth })
  ).handle
  await t.notThrowsAsync(tpm.certify({ object, objectAuth, signer, signerAuth, protection }))
  t.false(crossedInClear(objectAuth))
  t.false(crossedInClear(signerAuth))
  t.deepEqual(await census(tpm), { ...empty, transient: 2 })
})

test.serial(
  'gives the Name of what it will salt with, not the Name that the answer claims',
  async t => {
    await using honest = await Tpm.open(bench.tcti)
    const genuine = (await honest.readPublic(await honest.openHandle(rsaKey))).public
    const forged = Buffer.from(genuine)
    forged.writeUInt8(forged.readUInt8(forged.length - 1) ^ 0x10, forged.length - 1)
    const readPublic = 0x173
    proxy.options.answer = command => {
      if (command.readUInt32BE(6) !== readPublic) return undefined
      const name = Buffer.concat([octets('000b'), createHash('sha256').update(genuine).digest()])
      const body = Buffer.concat(
        [forged, name, name].flatMap(part => [
          Buffer.from([part.length >> 8, part.length & 0xff]),
          part,
        ]),
      )
      const header = octets('8001 00000000 00000000')
      header.writeUInt32BE(header.length + body.length, 2)
      return Buffer.concat([header, body])
    }
    try {
      await using tpm = await Tpm.open(proxy.tcti)
      const key = await tpm.openHandle(rsaKey)
      const digest = createHash('sha256').update(forged).digest()
      t.deepEqual(Buffer.from(key.name), Buffer.concat([octets('000b'), digest]))
      await t.throwsAsync(tpm.getRandom(8, { protection: key }), { instanceOf: Tpm2Error })
    } finally {
      proxy.options.answer = undefined
    }
  },
)
