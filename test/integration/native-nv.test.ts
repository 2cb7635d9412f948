import { X509Certificate } from 'node:crypto'
import test from 'ava'
import { Hierarchy, Tpm, Tpm2Error } from '../../native/index.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { census, empty, octets, primary, templates } from './native-fixtures.ts'

const bench = await startTestBench()
test.after.always(async () => await bench.stop())

const index = 0x01800010
const ownerAndAuth = 0x02060006 // NO_DA, AUTHREAD, OWNERREAD, AUTHWRITE, OWNERWRITE

test.serial('reads the endorsement key certificate of the manufacturer', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const certificate = new X509Certificate(await tpm.nvRead({ index: 0x01c00002 }))
  t.true(certificate.verify(new X509Certificate(bench.manufacturer.issuerCertificate).publicKey))
  const { public: area, name } = await tpm.nvReadPublic(0x01c00002)
  t.is(Buffer.from(area).readUInt32BE(), 0x01c00002)
  t.is(name.length, 34)
})

test.serial('writes and reads an index larger than one command moves', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const data = Buffer.from(await tpm.getRandom(1500))
  await tpm.nvDefineSpace({ public: nvPublic(ownerAndAuth, data.length) })
  await tpm.nvWrite({ index, data })
  t.deepEqual(Buffer.from(await tpm.nvRead({ index })), data)
  t.deepEqual(Buffer.from(await tpm.nvRead({ index, authorization: Hierarchy.owner })), data)
  await tpm.nvWrite({ index, data: Buffer.from('tail'), offset: 1496 })
  t.deepEqual(Buffer.from(await tpm.nvRead({ index })).subarray(1496), Buffer.from('tail'))
  await tpm.nvUndefineSpace({ index })
  const error = await t.throwsAsync(tpm.nvRead({ index }), { instanceOf: Tpm2Error })
  t.is(error.code, 'tpm-handle-unknown')
})

test.serial('reads with the owner where the index does not allow itself', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await tpm.nvDefineSpace({ public: nvPublic(0x02020002, 4) }) // OWNERREAD, OWNERWRITE
  await tpm.nvWrite({ index, data: Buffer.from('data'), authorization: Hierarchy.owner })
  t.deepEqual(Buffer.from(await tpm.nvRead({ index })), Buffer.from('data'))
  await tpm.nvUndefineSpace({ index })
})

test.serial('refuses an index that only a policy reads', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await tpm.nvDefineSpace({ public: nvPublic(0x02080002, 4) }) // POLICYREAD, OWNERWRITE
  const error = await t.throwsAsync(tpm.nvRead({ index }), { instanceOf: Tpm2Error })
  t.is(error.code, 'tpm-nv-policy-only')
  await tpm.nvUndefineSpace({ index })
})

test.serial(
  'refuses what is no hierarchy as authorization, and numbers that NV cannot hold',
  async t => {
    await using tpm = await Tpm.open(bench.tcti)
    const certificate = 0x01c00002
    await t.notThrowsAsync(tpm.nvRead({ index: certificate, authorization: Hierarchy.owner }))
    await t.throwsAsync(tpm.nvRead({ index: certificate, authorization: 0x40000002 }), {
      instanceOf: TypeError,
    })
    await using signer = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
    const certify = { index: certificate, signer, authorization: Hierarchy.owner }
    await t.notThrowsAsync(tpm.nvCertify({ ...certify, size: 4 }))
    await t.throwsAsync(tpm.nvCertify({ ...certify, size: 0x10004 }), { instanceOf: TypeError })
    await t.throwsAsync(tpm.nvCertify({ ...certify, size: 4, offset: 0x10000 }), {
      instanceOf: TypeError,
    })
  },
)

test.serial('refuses to read what was never written, and to define what is defined', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await tpm.nvDefineSpace({ public: nvPublic(ownerAndAuth, 4) })
  t.is(
    (await t.throwsAsync(tpm.nvRead({ index }), { instanceOf: Tpm2Error })).symbol,
    'TPM_RC_NV_UNINITIALIZED',
  )
  const again = tpm.nvDefineSpace({ public: nvPublic(ownerAndAuth, 4) })
  t.is((await t.throwsAsync(again, { instanceOf: Tpm2Error })).symbol, 'TPM_RC_NV_DEFINED')
  await tpm.nvUndefineSpace({ index })
})

test.serial('protects an index by its authValue, which never has to cross the bus', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const protection = await tpm.openHandle(0x81010001)
  const auth = Buffer.from('index')
  await tpm.nvDefineSpace({ public: nvPublic(0x02040004, 4), auth, protection }) // AUTHREAD, AUTHWRITE
  await tpm.nvWrite({ index, auth, data: Buffer.from('data'), protection })
  t.deepEqual(Buffer.from(await tpm.nvRead({ index, auth, protection })), Buffer.from('data'))
  const error = await t.throwsAsync(tpm.nvRead({ index, auth: Buffer.from('wrong') }), {
    instanceOf: Tpm2Error,
  })
  t.is(error.code, 'tpm-authorization-failed')
  await tpm.nvUndefineSpace({ index, protection })
  t.deepEqual(await census(tpm), empty)
})

test.serial('counts up', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await tpm.nvDefineSpace({ public: nvPublic(ownerAndAuth | 0x10, 8) }) // TPM_NT_COUNTER
  await tpm.nvIncrement({ index })
  const first = Buffer.from(await tpm.nvRead({ index })).readBigUInt64BE()
  await tpm.nvIncrement({ index, authorization: Hierarchy.owner })
  t.is(Buffer.from(await tpm.nvRead({ index })).readBigUInt64BE(), first + 1n)
  await tpm.nvUndefineSpace({ index })
})

test.serial('certifies the content of an index', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using signer = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
  await tpm.nvDefineSpace({ public: nvPublic(ownerAndAuth, 8) })
  await tpm.nvWrite({ index, data: Buffer.from('content!') })
  const { attest } = await tpm.nvCertify({
    signer,
    index,
    size: 8,
    qualifyingData: Buffer.from('nonce'),
  })
  t.is(Buffer.from(attest).readUInt16BE(4), 0x8014)
  t.true(Buffer.from(attest).includes('content!'))
  t.true(Buffer.from(attest).includes('nonce'))
  await tpm.nvUndefineSpace({ index })
})

// TPMS_NV_PUBLIC: nvIndex, nameAlg, attributes, authPolicy, dataSize.
function nvPublic(attributes: number, size: number): Buffer {
  const area = octets('00000000 000b 00000000 0000 0000')
  area.writeUInt32BE(index, 0)
  area.writeUInt32BE(attributes, 6)
  area.writeUInt16BE(size, 12)
  return area
}
