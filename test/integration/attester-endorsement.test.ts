import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { Hierarchy, Tpm } from '../../native/index.ts'
import { openEndorsement } from '../../src/attester/endorsement.ts'
import { withNonce } from '../../src/attester/endorsement-template.ts'
import { AttesterError } from '../../src/attester/error.ts'
import { encodeTpmtPublic, nameOf, type EccPublic } from '../../src/core/tpm/public.ts'
import { keyObjectOf } from '../../src/core/tpm/signature.ts'
import { endorsementTemplates } from '../../src/core/tpm/templates.ts'
import { storeCertificate } from '../../swtpm/endorsement-keys.ts'
import { createPrivateDirectory, discardDirectory } from '../../swtpm/leftovers.ts'
import { certify } from '../../swtpm/manufacturer.ts'
import { run } from '../../swtpm/programs.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { startProxy } from '../../swtpm/tpm-proxy.ts'
import { certificates, evict, persistent, undefine, withBench } from './endorsement-bench.ts'
import { census, empty } from './native-fixtures.ts'

const bench = await startTestBench({ endorsementKeys: ['ecc-p256', 'rsa-3072'] })
const scratch = await createPrivateDirectory('endorsement')
test.after.always(async () => {
  await bench.stop()
  discardDirectory(scratch)
})

for (const [template, kind, bits] of [
  ['L-1', 'rsa', 2048],
  ['L-2', 'ec', undefined],
  ['H-3', 'ec', undefined],
  ['H-6', 'rsa', 3072],
] as const) {
  test.serial(`finds the ${template} endorsement key that its certificate is for`, async t => {
    await using tpm = await Tpm.open(bench.tcti)
    const found = await openEndorsement(tpm, { template })
    await using handle = found.handle
    t.is(found.template, template)
    const certificate = new X509Certificate(found.certificate)
    t.is(certificate.publicKey.asymmetricKeyType, kind)
    t.is(certificate.publicKey.asymmetricKeyDetails?.modulusLength, bits)
    t.true(keyObjectOf(found.area)?.equals(certificate.publicKey))
    t.deepEqual(Buffer.from(handle.name), Buffer.from(nameOf(found.public)))
    t.true(certificate.verify(new X509Certificate(bench.manufacturer.issuerCertificate).publicKey))
    t.deepEqual(found.notes, [])
  })
}

test.serial('prefers P-256 where it has a certificate, and leaves nothing in the TPM', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const found = await openEndorsement(tpm)
  t.is(found.template, 'L-2')
  await tpm.flush(found.handle)
  t.deepEqual(await census(tpm), empty)
})

test.serial('makes the key that tpm2_createek makes', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  for (const [template, algorithm] of [
    ['L-2', 'ecc'],
    ['L-1', 'rsa'],
  ] as const) {
    const file = join(scratch, `${algorithm}.pub`)
    const output = ['-c', join(scratch, 'ek.ctx'), '-u', file, '-f', 'tss']
    await run('tpm2_createek', ['-T', bench.tcti, '-G', algorithm, ...output])
    await run('tpm2_flushcontext', ['-T', bench.tcti, '-t'])
    const found = await openEndorsement(tpm, { template })
    await tpm.flush(found.handle)
    t.deepEqual(Buffer.from(found.public), (await readFile(file)).subarray(2))
  }
})

test.serial('makes the key again where the TPM does not keep it', async t => {
  await withBench(async (_own, tpm) => {
    const kept = await openEndorsement(tpm, { template: 'L-1' })
    t.is(kept.handle.tpmHandle, 0x8101_0001)
    await tpm.flush(kept.handle)
    await evict(tpm, ...persistent)
    const made = await openEndorsement(tpm, { template: 'L-1' })
    t.is(made.handle.tpmHandle >>> 24, 0x80)
    t.deepEqual(made.public, kept.public)
    await tpm.flush(made.handle)
  })
})

test.serial('makes the key of the template and the nonce in the TPM', async t => {
  await withBench(async (own, tpm) => {
    const lowRange = endorsementTemplates.find(({ name }) => name === 'L-2')?.public as EccPublic
    const nonce = Buffer.from('a nonce of a maker')
    const template = encodeTpmtPublic(lowRange)
    const noncedTemplate = encodeTpmtPublic(withNonce(lowRange, nonce))
    const created = await tpm.createPrimary({
      hierarchy: Hierarchy.endorsement,
      public: noncedTemplate,
    })
    await tpm.flush(created.handle)
    const [x, y] = [created.public.slice(-66, -34), created.public.slice(-32)].map(part =>
      Buffer.from(part).toString('hex'),
    )
    const certificate = await certify(own.manufacturer, `x=${x},y=${y},id=secp256r1`, scratch)
    await storeCertificate(tpm, 0x01c0_000a, certificate)
    const differs = await t.throwsAsync(openEndorsement(tpm, { template: 'L-2' }), {
      instanceOf: AttesterError,
    })
    t.is(differs.code, 'endorsement-key-differs')
    await storeCertificate(tpm, 0x01c0_000b, nonce)
    await storeCertificate(tpm, 0x01c0_000c, template)
    const found = await openEndorsement(tpm)
    t.is(found.template, 'L-2')
    t.deepEqual(found.public, created.public)
    await tpm.flush(found.handle)
  })
})

test.serial('refuses what is stored as a template and is none', async t => {
  await withBench(async (_own, tpm) => {
    await evict(tpm, ...persistent)
    await storeCertificate(tpm, 0x01c0_0004, Buffer.from('not a template'))
    const error = await t.throwsAsync(openEndorsement(tpm, { template: 'L-1' }), {
      instanceOf: AttesterError,
    })
    t.is(error.code, 'endorsement-key-differs')
  })
})

test.serial('never takes a key that the certificate is not for', async t => {
  await withBench(async (_own, tpm) => {
    await using other = await Tpm.open(bench.tcti)
    const foreign = await other.nvRead({ index: 0x01c0_0002 })
    await undefine(tpm, ...certificates)
    await storeCertificate(tpm, 0x01c0_0002, foreign)
    const error = await t.throwsAsync(openEndorsement(tpm), { instanceOf: AttesterError })
    t.is(error.code, 'endorsement-key-differs')
    t.regex(error.found ?? '', /^L-1: /)
  })
})

test.serial('asks for the value of the endorsement hierarchy, and never sends it', async t => {
  await withBench(async (own, tpm) => {
    const auth = Buffer.from('endorsement value')
    await run('tpm2_changeauth', ['-T', own.tcti, '-c', 'endorsement', auth.toString()])
    const kept = await openEndorsement(tpm)
    t.is(kept.handle.tpmHandle >>> 24, 0x81)
    await tpm.flush(kept.handle)
    await evict(tpm, ...persistent)
    for (const wrong of [undefined, Buffer.from('another')]) {
      const error = await t.throwsAsync(openEndorsement(tpm, { auth: wrong }), {
        instanceOf: AttesterError,
      })
      t.is(error.code, 'endorsement-authorization')
      t.truthy(error.cause)
    }
    const bus: Buffer[] = []
    const observe = (command: Buffer, answer: Buffer): number => bus.push(command, answer)
    const proxy = await startProxy({ target: own.socketPath, path: join(scratch, 'bus'), observe })
    const watched = await Tpm.open(proxy.tcti)
    const found = await openEndorsement(watched, { auth })
    t.is(found.template, 'H-3')
    t.deepEqual(found.public, kept.public)
    await watched.close()
    await proxy.stop()
    t.false(Buffer.concat(bus).includes(auth))
  })
})

test('refuses a nonce that is longer than what it is put into', t => {
  const [rsa, ecc] = ['L-1', 'L-2'].map(
    wanted => endorsementTemplates.find(({ name }) => name === wanted)?.public,
  )
  if (rsa === undefined || ecc === undefined) throw new Error('two templates')
  t.notThrows(() => withNonce(rsa, new Uint8Array(256)))
  t.notThrows(() => withNonce(ecc, new Uint8Array(32)))
  for (const [area, length] of [
    [rsa, 257],
    [ecc, 33],
  ] as const) {
    const error = t.throws(() => withNonce(area, new Uint8Array(length)), {
      instanceOf: AttesterError,
    })
    t.is(error.code, 'endorsement-key-differs')
  }
})
