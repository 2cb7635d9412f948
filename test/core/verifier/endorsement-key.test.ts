import test from 'ava'
import * as fc from 'fast-check'
import * as der from '../../../src/core/der/writer.ts'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { endorsementTemplates } from '../../../src/core/tpm/templates.ts'
import {
  EndorsementKey,
  verifyDeclaredEndorsementKey,
  verifyEndorsementKey,
} from '../../../src/core/verifier/endorsement-key.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { oids } from '../../../swtpm/emulated/certificate.ts'
import { createEmulatedKey } from '../../../swtpm/emulated/key.ts'
import {
  areaWith,
  createMaker,
  eccKey,
  evidenceOf,
  flip,
  maker,
  refusalOf,
  rsaKey,
  shapeOf,
  verify,
} from '../ek/fixtures.ts'

test('an endorsement key of each template is accepted, and its verdict says by which', t => {
  for (const template of endorsementTemplates.filter(({ name }) => name !== 'H-7')) {
    const key = createEmulatedKey(template.public, 'endorsement')
    const verified = verify(undefined, {}, key)
    t.is(verified.template, template.name)
    t.deepEqual(Buffer.from(verified.name), Buffer.from(key.name))
    t.is(verified.assurance, 'emulated')
    t.is(verified.anchorFingerprint, maker.anchor.fingerprint)
  }
})

test('nobody else makes one', t => {
  t.throws(() => new EndorsementKey(Symbol('endorsement key') as never, verify()), {
    instanceOf: TypeError,
  })
})

test('E1 intermediates may come from the host, from the service, or from both, in any order', t => {
  const { manufacturer } = maker
  const chain = [manufacturer.issuer.certificate]
  t.is(
    refusalOf(() => verify(undefined, { chain: [] })),
    'path-issuer',
  )
  t.is(
    refusalOf(() => verify(undefined, { chain: [], intermediates: chain })),
    undefined,
  )
  const crowd = [
    createMaker().manufacturer.issuer.certificate,
    manufacturer.root.certificate,
    ...chain,
  ]
  t.is(
    refusalOf(() => verify(undefined, { chain: crowd })),
    undefined,
  )
})

test('E1 a hint that cannot be read is none, and a hint is no anchor', t => {
  const { issuer, root } = maker.manufacturer
  t.is(
    refusalOf(() => verify(undefined, { chain: [Uint8Array.of(1), issuer.certificate] })),
    undefined,
  )
  const chain = [issuer.certificate, root.certificate]
  t.is(
    refusalOf(() => verify(undefined, { chain, anchors: [] })),
    'path-issuer',
  )
})

test('E1 refuses more hints than a host may send', t => {
  const chain = Array.from({ length: 17 }, () => maker.manufacturer.issuer.certificate)
  t.is(
    refusalOf(() => verify(undefined, { chain })),
    'path-budget',
  )
  t.is(
    refusalOf(() => verify(undefined, { chain: chain.slice(1) })),
    undefined,
  )
})

test('VT1 a chain that says the same vendor leads nowhere but to its own root', t => {
  const other = createMaker('id:00001014')
  t.is(
    refusalOf(() => verify(undefined, { anchors: [other.anchor] })),
    'path-issuer',
  )
  t.is(
    refusalOf(() => verify(undefined, { anchors: [other.anchor, maker.anchor] })),
    undefined,
  )
})

test('E7 refuses the header and the padding of NV storage', t => {
  const { certificate } = evidenceOf()
  const code = 'ek-certificate-malformed'
  const header = Uint8Array.of(0x10, 1, 0, 1, 0, 0x10, 2)
  for (const wrapped of [
    Buffer.concat([header, certificate]),
    Buffer.concat([header.subarray(0, 5), certificate]),
    Buffer.concat([header, header, certificate]),
    Buffer.concat([certificate, new Uint8Array(192)]),
    Buffer.concat([certificate, new Uint8Array(8).fill(0xff)]),
  ]) {
    t.is(
      refusalOf(() => verify(undefined, { certificate: wrapped })),
      code,
    )
  }
})

test('E14 a certificate that was issued again is for the same TPM', t => {
  const [first, second] = [verify(), verify(parts => ({ ...parts, serial: Uint8Array.of(7) }))]
  t.is(first.spkiSha256, second.spkiSha256)
  const expected = parseCertificate(evidenceOf().certificate).fields.keyBits
  t.truthy(expected)
  t.not(verify(undefined, {}, rsaKey).spkiSha256, first.spkiSha256)
})

test('E1 the key says which path was verified, its own certificate first', t => {
  const { issuer, root } = maker.manufacturer
  const evidence = evidenceOf()
  const path = [evidence.certificate, issuer.certificate, root.certificate]
  const hex = (certificates: readonly Uint8Array[]): string[] =>
    certificates.map(bytes => Buffer.from(bytes).toString('hex'))
  t.deepEqual(hex(verifyEndorsementKey(evidence).path), hex(path))
})

test('T3 refuses a key without certificate that is weak, off its curve, or on a curve that is not known', t => {
  const declared = (bytes: Uint8Array): string | undefined =>
    refusalOf(() => verifyDeclaredEndorsementKey({ public: bytes }))
  const large = createEmulatedKey(shapeOf('H-6'), 'endorsement')
  t.is(declared(large.public), undefined)
  t.is(declared(areaWith(large, { modulus: Buffer.alloc(384, 0).fill(0xff, 256) })), 'ek-key-weak')
  t.is(
    declared(
      areaWith(eccKey, {
        x: flip(eccKey.area.type === TPM_ALG.ECC ? eccKey.area.x : new Uint8Array(1)),
      }),
    ),
    'ek-key-weak',
  )
  t.is(declared(areaWith(eccKey, { curveId: 0x20 })), 'ek-public-differs')
})

test('no certificate with any byte changed is accepted', t => {
  const evidence = evidenceOf()
  const bytes = Buffer.from(evidence.certificate)
  for (let offset = 0; offset < bytes.length; offset += 1) {
    const certificate = Buffer.from(bytes)
    certificate.writeUInt8(certificate.readUInt8(offset) ^ (1 << (offset % 8)), offset)
    t.truthy(
      refusalOf(() => verifyEndorsementKey({ ...evidence, certificate })),
      `byte ${offset}`,
    )
  }
})

test('any truncation of a certificate is malformed', t => {
  const evidence = evidenceOf()
  for (let length = 0; length < evidence.certificate.length; length += 1) {
    const certificate = evidence.certificate.subarray(0, length)
    t.is(
      refusalOf(() => verifyEndorsementKey({ ...evidence, certificate })),
      'ek-certificate-malformed',
    )
  }
})

test('whatever stands where the evidence should, the refusal is a coded one', t => {
  const evidence = evidenceOf()
  const bytes = fc.uint8Array({ maxLength: 1200 })
  const property = fc.property(
    bytes,
    bytes,
    fc.array(bytes, { maxLength: 3 }),
    (area, certificate, chain) => {
      t.throws(() => verifyEndorsementKey({ ...evidence, public: area, certificate, chain }), {
        instanceOf: EvidenceError,
      })
      t.throws(() => verifyEndorsementKey({ ...evidence, certificate, chain }), {
        instanceOf: EvidenceError,
      })
    },
  )
  fc.assert(property, { numRuns: 300 })
})

test('E1 refuses a certificate that names the issuer and was signed by another', t => {
  const impostor = createMaker().manufacturer
  const identifier = parseCertificate(maker.manufacturer.issuer.certificate).fields.extensions
    .subjectKeyIdentifier
  const value = der.sequence(der.implicitPrimitive(0, identifier ?? new Uint8Array()))
  const hint = { oid: oids.authorityKeyIdentifier, critical: false, value }
  const certificate = impostor.certify(eccKey.publicKey, parts => ({
    ...parts,
    issuer: maker.manufacturer.issuer.name,
    // The key identifier of the right issuer, so that the signature alone is wrong.
    extensions: parts.extensions.map(part =>
      part.oid === oids.authorityKeyIdentifier ? hint : part,
    ),
  }))
  t.is(
    refusalOf(() => verify(undefined, { certificate })),
    'path-signature',
  )
})
