import { createHash, createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import test from 'ava'
import { HashAlgorithm, Hierarchy, Tpm, Tpm2Error } from '../../native/index.ts'
import type { Attestation } from '../../native/index.ts'
import { startTestBench } from '../../swtpm/software-tpm.ts'
import { census, ecdsaSha256, octets, pcrSelection, primary, templates } from './native-fixtures.ts'

const bench = await startTestBench()
const qualifyingData = Buffer.alloc(32, 0xa5)
test.after.always(async () => await bench.stop())

test.serial(
  'certifies a key: the attestation is signed and says the key and the qualifying data',
  async t => {
    await using tpm = await Tpm.open(bench.tcti)
    await using signer = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
    await using object = await primary(tpm, templates.signingKey)
    const { public: area } = await tpm.readPublic(signer)
    const attestation = await tpm.certify({ object, signer, qualifyingData })
    t.true(isSigned(attestation, area))
    t.true(Buffer.from(attestation.attest).includes(Buffer.from(object.name)))
    t.true(Buffer.from(attestation.attest).includes(qualifyingData))
    t.is(typeOf(attestation), 0x8017)
  },
)

test.serial('certifies the creation of a key, and refuses a ticket of another', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using signer = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
  const creation = await tpm.createPrimary({
    hierarchy: Hierarchy.owner,
    public: templates.signingKey,
    outsideInfo: qualifyingData,
  })
  await using object = creation.handle
  t.deepEqual(
    Buffer.from(creation.creationHash),
    createHash('sha256').update(creation.creationData).digest(),
  )
  const { creationHash, creationTicket } = creation
  const attestation = await tpm.certifyCreation({
    object,
    signer,
    qualifyingData,
    creationHash,
    creationTicket,
  })
  t.true(isSigned(attestation, (await tpm.readPublic(signer)).public))
  t.is(typeOf(attestation), 0x801a)
  const other = tpm.certifyCreation({
    object,
    signer,
    qualifyingData,
    creationHash: Buffer.alloc(32),
    creationTicket,
  })
  const error = await t.throwsAsync(other, { instanceOf: Tpm2Error })
  t.is(error.symbol, 'TPM_RC_TICKET')
})

test.serial('quotes PCRs: the digest is that of the values read', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using signer = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
  const selection = pcrSelection(HashAlgorithm.sha256, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 23)
  const quote = await tpm.quote({ signer, qualifyingData, pcrSelection: selection })
  t.true(isSigned(quote, (await tpm.readPublic(signer)).public))
  t.is(typeOf(quote), 0x8018)
  const { digests, pcrSelection: read } = await tpm.pcrRead(selection)
  t.deepEqual(Buffer.from(read), selection)
  t.is(digests.length, 12)
  t.true(
    Buffer.from(quote.attest).includes(
      createHash('sha256').update(Buffer.concat(digests)).digest(),
    ),
  )
})

test.serial('reads all PCRs at one update counter, in the order of the selection', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const all = await tpm.pcrRead(
    pcrSelection(HashAlgorithm.sha256, ...Array.from({ length: 24 }, (_, i) => i)),
  )
  t.is(all.digests.length, 24)
  const one = await tpm.pcrRead(pcrSelection(HashAlgorithm.sha256, 17))
  t.deepEqual(one.digests, [all.digests[17]])
  t.deepEqual(Buffer.from(one.digests[0] ?? []), Buffer.alloc(32, 0xff))
})

test.serial('leaves out PCRs of a bank that is not active', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const reading = await tpm.pcrRead(pcrSelection(HashAlgorithm.sha384, 0))
  t.deepEqual(reading.digests, [])
  t.deepEqual(Buffer.from(reading.pcrSelection), pcrSelection(HashAlgorithm.sha384))
})

test.serial('says which PCR banks are active', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const banks = Buffer.from(await tpm.pcrBanks())
  t.true(banks.includes(octets('000b 03 ffffff')))
  t.true(banks.includes(octets('000c 03 000000')))
})

test.serial('extends a PCR: the new value is the digest of the old one and the event', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const selection = pcrSelection(HashAlgorithm.sha256, 16)
  const before = await tpm.pcrRead(selection)
  const event = createHash('sha256').update('event').digest()
  await tpm.pcrExtend({ pcr: 16, digests: Buffer.concat([octets('00000001 000b'), event]) })
  const after = await tpm.pcrRead(selection)
  const expected = createHash('sha256')
    .update(Buffer.concat([...before.digests, event]))
    .digest()
  t.deepEqual(
    after.digests.map(digest => Buffer.from(digest)),
    [expected],
  )
  const outside = tpm.pcrExtend({
    pcr: 32,
    digests: Buffer.concat([octets('00000001 000b'), event]),
  })
  t.is((await t.throwsAsync(outside, { instanceOf: Tpm2Error })).code, 'tpm-structure-malformed')
})

test.serial('tells the time, plain and signed', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using signer = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
  const first = Buffer.from(await tpm.readClock())
  const second = Buffer.from(await tpm.readClock())
  t.is(first.length, 25) // TPMS_TIME_INFO: time, clock, resetCount, restartCount, safe
  t.true(second.readBigUInt64BE() >= first.readBigUInt64BE())
  const attestation = await tpm.getTime({ signer, qualifyingData })
  t.true(isSigned(attestation, (await tpm.readPublic(signer)).public))
  t.is(typeOf(attestation), 0x8019)
})

test.serial('signs with a restricted key only what the TPM itself has hashed', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using key = await primary(tpm, templates.attestationKey, Hierarchy.endorsement)
  const data = Buffer.alloc(5000, 'data')
  const { digest, validation } = await tpm.hash({ data, hierarchy: Hierarchy.endorsement })
  t.deepEqual(Buffer.from(digest), createHash('sha256').update(data).digest())
  const signature = await tpm.sign({ key, digest, validation })
  t.true(isSigned({ attest: data, signature }, (await tpm.readPublic(key)).public))
  const error = await t.throwsAsync(tpm.sign({ key, digest }), { instanceOf: Tpm2Error })
  t.is(error.symbol, 'TPM_RC_TICKET')
  t.is((await census(tpm)).transient, 1)
})

test.serial(
  'hashes data of every length around the buffer of a TPM, and leaves no sequence',
  async t => {
    await using tpm = await Tpm.open(bench.tcti)
    for (const length of [0, 1, 1023, 1024, 1025, 2048, 2049]) {
      const data = Buffer.alloc(length, 7)
      const { digest } = await tpm.hash({ data })
      t.deepEqual(
        Buffer.from(digest),
        createHash('sha256').update(data).digest(),
        `${length} octets`,
      )
    }
    t.is((await census(tpm)).transient, 0)
  },
)

test.serial('gives no ticket for data that looks like an attestation', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  const { validation } = await tpm.hash({
    data: octets('ff544347 8018'),
    hierarchy: Hierarchy.endorsement,
  })
  t.deepEqual(Buffer.from(validation), octets('8024 40000007 0000'))
})

test.serial('signs with a key that has no scheme by the scheme given', async t => {
  await using tpm = await Tpm.open(bench.tcti)
  await using key = await primary(tpm, templates.signingKey)
  const data = Buffer.from('to be signed')
  const digest = createHash('sha256').update(data).digest()
  const signature = await tpm.sign({ key, digest, scheme: ecdsaSha256 })
  t.true(isSigned({ attest: data, signature }, (await tpm.readPublic(key)).public))
  t.is(
    (await t.throwsAsync(tpm.sign({ key, digest }), { instanceOf: Tpm2Error })).symbol,
    'TPM_RC_SCHEME',
  )
})

// TPMS_ATTEST: TPM_GENERATED magic, TPMI_ST_ATTEST type.
function typeOf({ attest }: Attestation): number {
  return Buffer.from(attest).readUInt16BE(4)
}

// TPMT_SIGNATURE of ECDSA: sigAlg, hash, TPM2B r, TPM2B s.
function isSigned({ attest, signature }: Attestation, area: Uint8Array): boolean {
  const bytes = Buffer.from(signature)
  const r = bytes.subarray(6, 6 + bytes.readUInt16BE(4))
  const s = bytes.subarray(6 + r.length + 2)
  const raw = Buffer.concat(
    [r, s].map(part => Buffer.concat([Buffer.alloc(32 - part.length), part])),
  )
  return verify('sha256', attest, { key: keyOf(area), dsaEncoding: 'ieee-p1363' }, raw)
}

// The unique of an ECC public area ends it: TPM2B x, TPM2B y.
function keyOf(area: Uint8Array): KeyObject {
  const [x, y] = [area.subarray(-66, -34), area.subarray(-32)].map(part =>
    Buffer.from(part).toString('base64url'),
  )
  return createPublicKey({
    format: 'jwk',
    key: { kty: 'EC', crv: 'P-256', x: x as string, y: y as string },
  })
}
