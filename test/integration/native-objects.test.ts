import test from 'ava'
import { HandleRange, Hierarchy, Property, Tpm, Tpm2Error } from '../../native/index.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { census, ecdsaSha256, empty, octets, primary, templates } from './native-fixtures.ts'

const bench = await startTestBench()
test.after.always(async () => await bench.stop())

test.serial('reads a property, and says when the TPM does not have one', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  t.is(await tpm.property(Property.manufacturer), 0x49424d00) // "IBM"
  t.is(await tpm.property(0x2ff), undefined)
})

test.serial('lists the handles of a range', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  t.deepEqual(await tpm.handles(HandleRange.persistent), [0x81010001, 0x81010016])
  t.deepEqual(await tpm.handles(HandleRange.transient), [])
})

test.serial('gives as many random octets as asked, more than one command gives', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const [one, other] = [await tpm.getRandom(200), await tpm.getRandom(200)]
  t.is(one.length, 200)
  t.notDeepEqual(one, other)
  t.is((await tpm.getRandom(0)).length, 0)
})

test.serial('creates, loads and uses a key under a parent', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using parent = await primary(tpm, templates.storageParent)
  const made = await tpm.create({ parent, public: templates.signingKey })
  await using key = await tpm.load({ parent, private: made.private, public: made.public })
  const { public: area, name, qualifiedName } = await tpm.readPublic(key)
  t.deepEqual(area, made.public)
  t.deepEqual(name, key.name)
  t.is(qualifiedName.length, 34)
  const signature = await tpm.sign({ key, digest: Buffer.alloc(32, 1), scheme: ecdsaSha256 })
  t.deepEqual(Buffer.from(signature.subarray(0, 4)), ecdsaSha256)
})

test.serial(
  'makes the same primary key of the same template, and another of another unique',
  async t => {
    await using tpm = await Tpm.open(bench.tcti)
    await using one = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
    await using other = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
    t.deepEqual(one.name, other.name)
    const salted = Buffer.concat([
      templates.attestationKey.subarray(0, -4),
      octets('0004 01020304 0000'),
    ])
    await using third = await primary(tpm, salted, Hierarchy.endorsement)
    t.notDeepEqual(one.name, third.name)
  },
)

test.serial(
  'keeps an object at a persistent handle, opens it there, and takes it away again',
  async t => {
    await using tpm = await Tpm.open(bench.tcti)
    await using object = await primary(tpm, templates.storageParent)
    const kept = await tpm.persist({ object, persistentHandle: 0x81000001 })
    t.is(kept.tpmHandle, 0x81000001)
    const opened = await tpm.openHandle(0x81000001)
    t.deepEqual(opened.name, object.name)
    await tpm.flush(kept)
    t.true((await tpm.handles(HandleRange.persistent)).includes(0x81000001))
    await tpm.evict({ object: opened })
    t.false((await tpm.handles(HandleRange.persistent)).includes(0x81000001))
  },
)

test.serial('loads a public key from outside', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using own = await primary(tpm, templates.signingKey)
  const { public: area } = await tpm.readPublic(own)
  await using outside = await tpm.loadExternal({ public: area, hierarchy: Hierarchy.owner })
  t.deepEqual(outside.name, own.name)
})

test.serial('refuses the fourth object for lack of a slot, and leaves nothing behind', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const held = [1, 2, 3].map(async () => await primary(tpm, templates.signingKey))
  const objects = await Promise.all(held)
  const error = await t.throwsAsync(primary(tpm, templates.signingKey), { instanceOf: Tpm2Error })
  t.is(error.code, 'tpm-slots-exhausted')
  t.is(error.rc, 0x902)
  t.is(error.layer, 'tpm')
  t.is(error.symbol, 'TPM_RC_OBJECT_MEMORY')
  t.is(error.command, 'CreatePrimary')
  t.regex(error.text, /out of memory for object contexts/)
  for (const object of objects) await tpm.flush(object)
  t.deepEqual(await census(tpm), empty)
})

test.serial('flushes what a scope held when the scope throws', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const failing = tpm.withHandle(
    primary(tpm, templates.signingKey),
    async () => await Promise.reject(new Error('mine')),
  )
  await t.throwsAsync(failing, { message: 'mine' })
  t.deepEqual(await census(tpm), empty)
})

test.serial('refuses a handle that holds nothing', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const error = await t.throwsAsync(tpm.openHandle(0x81000077), { instanceOf: Tpm2Error })
  t.is(error.code, 'tpm-handle-unknown')
  t.true(error.is(0x8b))
  t.is(error.position, 'handle 1')
})

test.serial('refuses a handle that was flushed, and one of another connection', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using other = await Tpm.open(bench.tcti)
  const key = await primary(tpm, templates.signingKey)
  t.is(
    (await t.throwsAsync(other.readPublic(key), { instanceOf: Tpm2Error })).code,
    'tpm-handle-released',
  )
  await tpm.flush(key)
  t.is(
    (await t.throwsAsync(tpm.readPublic(key), { instanceOf: Tpm2Error })).code,
    'tpm-handle-released',
  )
  await t.notThrowsAsync(tpm.flush(key))
})

test.serial('refuses octets that are not the structure, or more than the structure', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  for (const area of [
    octets('0023'),
    Buffer.alloc(0),
    Buffer.concat([templates.signingKey, octets('00')]),
  ]) {
    const error = await t.throwsAsync(primary(tpm, area), { instanceOf: Tpm2Error })
    t.is(error.code, 'tpm-structure-malformed')
  }
  const long = tpm.createPrimary({
    hierarchy: Hierarchy.owner,
    public: templates.signingKey,
    userAuth: Buffer.alloc(65),
  })
  t.is((await t.throwsAsync(long, { instanceOf: Tpm2Error })).code, 'tpm-structure-malformed')
  t.deepEqual(await census(tpm), empty)
})

test.serial('says that a wrong JavaScript type is the caller’s bug', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const text = 'octets' as unknown as Uint8Array
  await t.throwsAsync(primary(tpm, text), { instanceOf: TypeError })
  await t.throwsAsync(tpm.createPrimary({ hierarchy: 7, public: templates.signingKey }), {
    instanceOf: TypeError,
  })
  await t.throwsAsync(tpm.getRandom(-1), { instanceOf: TypeError })
})

test.serial('uses an authValue, in clear or proven, and refuses a wrong one', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const endorsementKey = await tpm.openHandle(0x81010001)
  await using parent = await primary(tpm, templates.storageParent)
  const userAuth = Buffer.from('open sesame')
  const made = await tpm.create({
    parent,
    public: templates.signingKey,
    userAuth,
    protection: endorsementKey,
  })
  await using key = await tpm.load({ parent, ...made })
  const request = { key, digest: Buffer.alloc(32), scheme: ecdsaSha256 }
  await t.notThrowsAsync(tpm.sign({ ...request, keyAuth: userAuth }))
  await t.notThrowsAsync(tpm.sign({ ...request, keyAuth: userAuth, protection: endorsementKey }))
  for (const wrong of [
    {},
    { keyAuth: Buffer.from('x') },
    { keyAuth: Buffer.from('x'), protection: endorsementKey },
  ]) {
    const error = await t.throwsAsync(tpm.sign({ ...request, ...wrong }), { instanceOf: Tpm2Error })
    t.is(error.code, 'tpm-authorization-failed')
  }
  t.deepEqual(await census(tpm), { transient: 2, loaded: 0, active: 0 })
})

test.serial('takes a key at the null hierarchy, and none at a lockout', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using key = await primary(tpm, templates.signingKey, Hierarchy.null)
  t.is(key.tpmHandle >>> 24, 0x80)
  t.is(
    (
      await t.throwsAsync(primary(tpm, templates.signingKey, Hierarchy.lockout), {
        instanceOf: Tpm2Error,
      })
    ).code,
    'tpm-refused',
  )
})
