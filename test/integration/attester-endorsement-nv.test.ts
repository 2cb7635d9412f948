import { X509Certificate } from 'node:crypto'
import test from 'ava'
import { Hierarchy, Tpm, Tpm2Error } from '../../native/index.ts'
import { openEndorsement } from '../../src/attester/endorsement.ts'
import { AttesterError } from '../../src/attester/error.ts'
import { storeCertificate } from '../../swtpm/endorsement-keys.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { certificates, evict, persistent, undefine, withBench } from './endorsement-bench.ts'
import { octets, primary, templates } from './native-fixtures.ts'

test.serial('trims what surrounds the certificate in the index', async t => {
  await withBench(async (_own, tpm) => {
    const certificate = await tpm.nvRead({ index: 0x01c0_0002 })
    await undefine(tpm, 0x01c0_0002)
    const header = Buffer.from([
      0x10,
      0x01,
      0x00,
      certificate.length >> 8,
      certificate.length & 0xff,
      0x10,
      0x02,
    ])
    await storeCertificate(
      tpm,
      0x01c0_0002,
      Buffer.concat([header, certificate, Buffer.alloc(90, 0xff)]),
    )
    const found = await openEndorsement(tpm, { template: 'L-1' })
    t.deepEqual(found.certificate, certificate)
    await tpm.flush(found.handle)
  })
})

test.serial('reads the chain that the TPM holds, a certificate over two indices', async t => {
  await withBench(async (own, tpm) => {
    const { manufacturer } = own
    const chain = [manufacturer.issuerCertificate, manufacturer.rootCertificate].map(
      pem => new X509Certificate(pem).raw,
    )
    const all = Buffer.concat(chain)
    await undefine(tpm, 0x01c0_0100)
    await storeCertificate(tpm, 0x01c0_0100, all.subarray(0, 500))
    await storeCertificate(tpm, 0x01c0_0101, Buffer.concat([all.subarray(500), Buffer.alloc(20)]))
    const found = await openEndorsement(tpm)
    t.deepEqual(
      found.chain.map(each => Buffer.from(each)),
      chain,
    )
    await tpm.flush(found.handle)
  })
})

test.serial('passes over a chain that cannot be read, and says so', async t => {
  await withBench(async (_own, tpm) => {
    await undefine(tpm, 0x01c0_0100)
    await storeCertificate(tpm, 0x01c0_0100, Buffer.from('no certificate'))
    const found = await openEndorsement(tpm)
    t.deepEqual(found.chain, [])
    t.regex(found.notes.join(), /^chain: /)
    await tpm.flush(found.handle)
  })
})

test.serial('says that the TPM has no certificate', async t => {
  await withBench(async (_own, tpm) => {
    await undefine(tpm, ...certificates)
    const error = await t.throwsAsync(openEndorsement(tpm), { instanceOf: AttesterError })
    t.is(error.code, 'endorsement-certificate-absent')
    t.regex(error.hint, /operator/)
  })
})

test.serial('passes over an index that holds no certificate, and says what it holds', async t => {
  await withBench(async (_own, tpm) => {
    await undefine(tpm, ...certificates)
    await storeCertificate(tpm, 0x01c0_0002, Buffer.alloc(600, 0xff))
    const error = await t.throwsAsync(openEndorsement(tpm), { instanceOf: AttesterError })
    t.is(error.code, 'endorsement-certificate-absent')
    t.regex(error.found ?? '', /^L-1: /)
  })
})

test.serial('passes over persistent objects that are no endorsement keys', async t => {
  await withBench(async (_own, tpm) => {
    await evict(tpm, ...persistent)
    const sealed = await tpm.createPrimary({
      hierarchy: Hierarchy.owner,
      public: templates.sealed,
      data: Buffer.from('data'),
    })
    const parent = await primary(tpm, templates.storageParent)
    for (const [object, persistentHandle] of [
      [sealed.handle, 0x8101_0001],
      [parent, 0x8101_0002],
    ] as const) {
      await tpm.flush(await tpm.persist({ object, persistentHandle }))
      await tpm.flush(object)
    }
    const found = await openEndorsement(tpm, { template: 'L-1' })
    t.is(found.handle.tpmHandle >>> 24, 0x80)
    await tpm.flush(found.handle)
  })
})

test.serial('passes over a certificate that cannot be read, and takes the next best', async t => {
  await withBench(async (_own, tpm) => {
    await storeCertificate(tpm, 0x01c0_000a, octets('3003 020101'))
    const found = await openEndorsement(tpm)
    t.is(found.template, 'H-3')
    t.deepEqual(found.notes, ['L-2: the certificate cannot be read'])
    await tpm.flush(found.handle)
  })
})

test.serial('passes over an index that was never written, and says so', async t => {
  await withBench(async (_own, tpm) => {
    await tpm.nvDefineSpace({
      public: octets('01c0000a 000b 42072001 0000 0100'),
      hierarchy: Hierarchy.platform,
    })
    const found = await openEndorsement(tpm)
    t.is(found.template, 'H-3')
    t.regex(found.notes.join(), /^L-2: .*(written|initialized|NV)/)
    await tpm.flush(found.handle)
  })
})

test.serial('hides no failure of the connection behind a certificate that is missing', async t => {
  const own = await startTestBench()
  const tpm = await Tpm.open(own.tcti)
  await own.stop()
  const error = await t.throwsAsync(openEndorsement(tpm), { instanceOf: Tpm2Error })
  t.is(error.code, 'tpm-unreachable')
  await tpm.close()
})
