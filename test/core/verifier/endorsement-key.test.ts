import test from 'ava'
import * as fc from 'fast-check'
import * as der from '../../../src/core/der/writer.ts'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { TPMA_OBJECT } from '../../../src/core/tpm/attributes.ts'
import { encodeTpmtPublic, type TpmtPublic } from '../../../src/core/tpm/public.ts'
import { endorsementTemplates } from '../../../src/core/tpm/templates.ts'
import {
  EndorsementKey,
  verifyDeclaredEndorsementKey,
  verifyEndorsementKey,
} from '../../../src/core/verifier/endorsement-key.ts'
import { EvidenceError } from '../../../src/core/verifier/error.ts'
import { parseCertificate } from '../../../src/core/x509/certificate.ts'
import { parseCertificateList } from '../../../src/core/x509/crl.ts'
import { oids } from '../../../swtpm/emulated/certificate.ts'
import { createEmulatedKey } from '../../../swtpm/emulated/key.ts'
import {
  areaWith,
  shapeOf,
  createMaker,
  eccKey,
  evidenceOf,
  maker,
  refusalOf,
  rsaKey,
  verify,
} from '../ek/fixtures.ts'
import { now } from '../x509/fixtures.ts'
import { entry, list, serialOf, type ListParts } from '../x509/revocation-fixtures.ts'

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

const issuerList = (edit: (parts: ListParts) => ListParts = parts => parts): Uint8Array =>
  list(
    parts => edit({ ...parts, issuer: maker.manufacturer.issuer.name }),
    maker.manufacturer.issuer,
  )
const rootList = (edit: (parts: ListParts) => ListParts = parts => parts): Uint8Array =>
  list(parts => edit({ ...parts, issuer: maker.manufacturer.root.name }), maker.manufacturer.root)
const sources = (
  ...lists: readonly Uint8Array[]
): { lists: ReturnType<typeof parseCertificateList>[]; responses: [] } => ({
  lists: lists.map(parseCertificateList),
  responses: [],
})

test('E9 what nobody said is recorded, and refused only where the policy asks for it', t => {
  const key = verify()
  t.deepEqual(
    key.revocation.map(({ outcome }) => outcome),
    ['unavailable', 'unavailable'],
  )
  const line = key.checks.find(({ code }) => code === 'ek-revocation')
  t.regex(line?.found ?? '', /unavailable/)
  const code = 'ek-revocation-unavailable'
  t.is(
    refusalOf(() => verify(undefined, { policy: { revocation: 'require' } })),
    code,
  )
  const byVendor = { revocationByVendor: { 'id:00001014': 'require' } } as const
  t.is(
    refusalOf(() => verify(undefined, { policy: byVendor })),
    code,
  )
  const others = { revocationByVendor: { 'id:49465800': 'require' } } as const
  t.is(
    refusalOf(() => verify(undefined, { policy: others })),
    undefined,
  )
})

test('E9 a path whose every certificate is cleared satisfies the policy', t => {
  const policy = { revocation: 'require' } as const
  const revocation = sources(issuerList(), rootList())
  t.is(
    refusalOf(() => verify(undefined, { policy, revocation })),
    undefined,
  )
  const half = sources(issuerList())
  t.is(
    refusalOf(() => verify(undefined, { policy, revocation: half })),
    'ek-revocation-unavailable',
  )
})

test('E9 refuses a revoked endorsement key and a revoked intermediate, whatever the policy', t => {
  const evidence = evidenceOf()
  const serial = serialOf(parseCertificate(evidence.certificate))
  const revokedKey = issuerList(parts => ({ ...parts, entries: [entry(serial, 1)] }))
  const run = (...lists: Uint8Array[]): string | undefined =>
    refusalOf(() => verifyEndorsementKey({ ...evidence, revocation: sources(...lists) }))
  t.is(run(revokedKey), 'ek-revocation')
  const issuer = parseCertificate(maker.manufacturer.issuer.certificate)
  const revokedIssuer = rootList(parts => ({ ...parts, entries: [entry(serialOf(issuer))] }))
  t.is(run(issuerList(), revokedIssuer), 'ek-revocation')
  t.is(
    run(
      issuerList(parts => ({ ...parts, entries: [entry(der.smallInteger(5))] })),
      rootList(),
    ),
    undefined,
  )
})

test('E9 where revocation is switched off nobody’s word is looked at, and the verdict says so', t => {
  const evidence = evidenceOf()
  const serial = serialOf(parseCertificate(evidence.certificate))
  const revocation = sources(issuerList(parts => ({ ...parts, entries: [entry(serial, 1)] })))
  const key = verifyEndorsementKey({ ...evidence, revocation, policy: { revocation: 'off' } })
  t.deepEqual(
    key.revocation.map(({ outcome }) => outcome),
    ['unavailable', 'unavailable'],
  )
  for (const code of ['ek-revocation', 'ek-revocation-unavailable'])
    t.is(key.checks.find(check => check.code === code)?.found, 'not looked at, by configuration')
})

test('E1 the key says which path was verified, its own certificate first', t => {
  const { issuer, root } = maker.manufacturer
  const evidence = evidenceOf()
  const path = [evidence.certificate, issuer.certificate, root.certificate]
  const hex = (certificates: readonly Uint8Array[]): string[] =>
    certificates.map(bytes => Buffer.from(bytes).toString('hex'))
  t.deepEqual(hex(verifyEndorsementKey(evidence).path), hex(path))
})

test('E9 how old a list may be is the policy’s', t => {
  const old = (parts: ListParts): ListParts => ({ ...parts, thisUpdate: now - 3 * 86_400_000 })
  const revocation = sources(issuerList(old), rootList(old))
  const policy = (days: number) =>
    ({ revocation: 'require', revocationMaxAgeSeconds: days * 86_400 }) as const
  t.is(
    refusalOf(() => verify(undefined, { policy: policy(4), revocation })),
    undefined,
  )
  t.is(
    refusalOf(() => verify(undefined, { policy: policy(2), revocation })),
    'ek-revocation-unavailable',
  )
})

test('T1 refuses the public area of another key, of either kind', t => {
  const other = createEmulatedKey(endorsementTemplates[1]?.public ?? eccKey.area, 'endorsement')
  t.is(
    refusalOf(() => verify(undefined, { public: other.public })),
    'ek-public-differs',
  )
  t.is(
    refusalOf(() => verify(undefined, { public: rsaKey.public })),
    'ek-public-differs',
  )
})

const flip = (bytes: Uint8Array): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 1
  return copy
}

test('T1 refuses another modulus, exponent, size, curve or coordinate', t => {
  const [rsa, ecc] = [rsaKey.area, eccKey.area]
  if (rsa.type !== TPM_ALG.RSA || ecc.type !== TPM_ALG.ECC) throw new TypeError('templates')
  const changedRsa = [{ modulus: flip(rsa.modulus) }, { exponent: 3 }, { keyBits: 3072 }]
  for (const change of changedRsa) {
    const run = (): unknown => verify(undefined, { public: areaWith(rsaKey, change) }, rsaKey)
    t.is(refusalOf(run), 'ek-public-differs')
  }
  for (const change of [
    { x: flip(ecc.x) },
    { y: flip(ecc.y) },
    { curveId: 4 },
    { curveId: 0x20 },
  ]) {
    t.is(
      refusalOf(() => verify(undefined, { public: areaWith(eccKey, change) })),
      'ek-public-differs',
    )
  }
})

test('T1 a coordinate may lack its leading zeros, and the exponent may be written out', t => {
  const written = areaWith(rsaKey, { exponent: 65_537 })
  // The same key, but not the template: its exponent is 0.
  t.is(
    refusalOf(() => verify(undefined, { public: written }, rsaKey)),
    'ek-template',
  )
  for (;;) {
    const key = createEmulatedKey(eccKey.area, 'endorsement')
    if (key.area.type !== TPM_ALG.ECC || key.area.x[0] !== 0) continue
    const short = areaWith(key, { x: key.area.x.subarray(1) })
    t.is(
      refusalOf(() => verify(undefined, { public: short }, key)),
      undefined,
    )
    break
  }
})

const templateChanges: readonly (readonly [string, Partial<TpmtPublic>])[] = [
  ['a name by SHA-1', { nameAlg: TPM_ALG.SHA1 }],
  ['no symmetric algorithm', { symmetric: undefined }],
  [
    'another size of the symmetric key',
    { symmetric: { algorithm: TPM_ALG.AES, keyBits: 256, mode: TPM_ALG.CFB } },
  ],
  ['another mode', { symmetric: { algorithm: TPM_ALG.AES, keyBits: 128, mode: 0x44 } }],
  ['another policy', { authPolicy: flip(eccKey.area.authPolicy) }],
  ['no policy', { authPolicy: new Uint8Array() }],
  ['a scheme', { scheme: { scheme: TPM_ALG.ECDH, hash: TPM_ALG.SHA256 } }],
]

for (const [what, change] of templateChanges) {
  test(`T2 refuses a public area with ${what}`, t => {
    t.is(
      refusalOf(() => verify(undefined, { public: areaWith(eccKey, change) })),
      'ek-template',
    )
  })
}

test('T2 refuses each attribute that is toggled, restricted above all', t => {
  const bits = Array.from({ length: 32 }, (_, bit) => 2 ** bit)
  for (const bit of bits) {
    const objectAttributes = (eccKey.area.objectAttributes ^ bit) >>> 0
    const changed = areaWith(eccKey, { objectAttributes })
    t.is(
      refusalOf(() => verify(undefined, { public: changed })),
      'ek-template',
      String(bit),
    )
  }
  t.true((eccKey.area.objectAttributes & TPMA_OBJECT.restricted) !== 0)
})

test('P1 P2 refuses a public area that is cut off or has anything after it', t => {
  const code = 'ek-public-malformed'
  const bytes = encodeTpmtPublic(eccKey.area)
  for (let length = 0; length < bytes.length; length += 1) {
    t.is(
      refusalOf(() => verify(undefined, { public: bytes.subarray(0, length) })),
      code,
    )
  }
  t.is(
    refusalOf(() => verify(undefined, { public: Buffer.concat([bytes, Uint8Array.of(0)]) })),
    code,
  )
})

test('T3 a key without certificate has the level of an operator’s word and no vendor', t => {
  const key = verifyDeclaredEndorsementKey({ public: eccKey.public })
  t.like(key, { assurance: 'tpm-declared', vendor: undefined, anchorFingerprint: undefined })
  t.is(key.spkiSha256, verify().spkiSha256)
  const rsa = verifyDeclaredEndorsementKey({ public: rsaKey.public })
  t.is(rsa.spkiSha256, verify(undefined, {}, rsaKey).spkiSha256)
  const code = 'ek-template'
  const unrestricted = areaWith(eccKey, { objectAttributes: 0x0002_00b2 })
  t.is(
    refusalOf(() => verifyDeclaredEndorsementKey({ public: unrestricted })),
    code,
  )
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
