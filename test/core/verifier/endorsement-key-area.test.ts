import test from 'ava'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { TPMA_OBJECT } from '../../../src/core/tpm/attributes.ts'
import { encodeTpmtPublic, type TpmtPublic } from '../../../src/core/tpm/public.ts'
import { endorsementTemplates } from '../../../src/core/tpm/templates.ts'
import { verifyDeclaredEndorsementKey } from '../../../src/core/verifier/endorsement-key.ts'
import { createEmulatedKey } from '../../../swtpm/emulated/key.ts'
import { areaWith, eccKey, flip, refusalOf, rsaKey, verify } from '../ek/fixtures.ts'

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
