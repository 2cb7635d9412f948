import test from 'ava'
import { encodePem } from '../../src/attester/pem.ts'
import { CollectionError, readCollection } from '../../src/cli/anchor-collection.ts'
import { loadTpmVendors } from '../../src/cli/tpm-vendors.ts'
import { createEmulatedManufacturer } from '../../swtpm/emulated/manufacturer.ts'
import { buildCabinet, type CabinetMember } from '../support/cabinet-builder.ts'

const { root, issuer } = createEmulatedManufacturer(Date.UTC(2026, 10, 1))
const labels = { name: 'maker', vendor: 'id:49465800', assurance: 'tpm-discrete' }
const vendors = await loadTpmVendors()

async function refusalOf(run: Promise<unknown>): Promise<string> {
  try {
    await run
  } catch (error) {
    if (error instanceof CollectionError) return error.code
    throw error
  }
  return 'accepted'
}

async function readMembers(
  members: readonly CabinetMember[],
  given = {},
): ReturnType<typeof readCollection> {
  return await readCollection('TrustedTpm.cab', buildCabinet(members), given, vendors)
}

test('one certificate, in DER or PEM, and a bundle are read as they are labelled by hand', async t => {
  const der = await readCollection('root.cer', root.certificate, labels, vendors)
  t.deepEqual(der.certificates, [{ ...labels, source: 'root.cer', certificate: root.certificate }])
  const bundle = [root, issuer].map(row => encodePem('CERTIFICATE', row.certificate)).join('text\n')
  const read = await readCollection('all.pem', Buffer.from(bundle), labels, vendors)
  t.deepEqual(
    read.certificates.map(row => row.source),
    ['all.pem#1', 'all.pem#2'],
  )
  t.deepEqual(Buffer.from(read.certificates[1]?.certificate ?? []), Buffer.from(issuer.certificate))
})

test('a cabinet labels its certificates by the folder of the maker', async t => {
  const pem = Buffer.from(encodePem('CERTIFICATE', issuer.certificate))
  const read = await readMembers([
    { path: 'Infineon\\RootCA\\root.cer', bytes: root.certificate },
    { path: 'Infineon\\IntermediateCA\\issuer.crt', bytes: pem },
    { path: 'version.txt', bytes: Buffer.from('1.0') },
    { path: 'Nobody\\RootCA\\root.cer', bytes: root.certificate },
  ])
  const shared = { name: 'infineon', vendor: 'id:49465800', assurance: 'tpm-discrete' }
  t.deepEqual(
    read.certificates.map(({ certificate: _certificate, ...row }) => row),
    [
      { ...shared, source: 'TrustedTpm.cab:Infineon/RootCA/root.cer' },
      { ...shared, source: 'TrustedTpm.cab:Infineon/IntermediateCA/issuer.crt' },
    ],
  )
  t.deepEqual(read.passedOver, ['version.txt', 'Nobody/RootCA/root.cer'])
  t.deepEqual(Buffer.from(read.certificates[0]?.certificate ?? []), Buffer.from(root.certificate))
})

test('what an operator says of a maker counts before the table', async t => {
  const members = [{ path: 'AMD\\RootCA\\a.cer', bytes: root.certificate }]
  const read = await readMembers(members, { assurance: 'emulated' })
  t.like(read.certificates[0], { vendor: 'id:414D4400', assurance: 'emulated' })
})

test('a large collection is read across blocks', async t => {
  const members = Array.from({ length: 200 }, (_, at) => ({
    path: `Intel\\RootCA\\${at}.cer`,
    bytes: root.certificate,
  }))
  t.is((await readMembers(members)).certificates.length, 200)
})

test('refuses what is no collection, has no labels, or is larger than any', async t => {
  const noise = Buffer.from('hello')
  t.is(await refusalOf(readCollection('x', noise, labels, vendors)), 'collection-unreadable')
  const broken = buildCabinet([{ path: 'AMD\\a.cer', bytes: root.certificate }]).subarray(0, 90)
  t.is(await refusalOf(readCollection('x.cab', broken, labels, vendors)), 'collection-unreadable')
  t.is(await refusalOf(readCollection('x', root.certificate, {}, vendors)), 'collection-unlabelled')
  const others = [{ path: 'Nobody\\a.cer', bytes: root.certificate }]
  t.is(await refusalOf(readMembers(others)), 'collection-unlabelled')
  const large = Buffer.alloc(33 * 1024 * 1024)
  t.is(await refusalOf(readCollection('x', large, labels, vendors)), 'collection-too-large')
})

test('a cabinet that is cut or changed anywhere is read or refused, and nothing else', async t => {
  const cabinet = buildCabinet([{ path: 'AMD\\RootCA\\a.cer', bytes: root.certificate }])
  for (let at = 0; at < cabinet.length; at += 7) {
    const changed = Uint8Array.from(cabinet)
    changed[at] = (changed[at] ?? 0) ^ 0xff
    for (const bytes of [cabinet.subarray(0, at), changed]) {
      const refusal = await refusalOf(readCollection('x.cab', bytes, {}, vendors))
      t.regex(refusal, /^(accepted|collection-)/)
    }
  }
})
