import test from 'ava'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { TPMA_OBJECT, type ObjectAttribute } from '../../../src/core/tpm/attributes.ts'
import {
  encodeTpmtPublic,
  nameOf,
  parseTpmtPublic,
  qualifiedNameOf,
  type EccPublic,
  type Scheme,
  type TpmtPublic,
} from '../../../src/core/tpm/public.ts'
import { attestationKeyTemplate } from '../../../src/core/tpm/templates.ts'
import {
  AttestationKey,
  restoreAttestationKey,
  verifyAttestationKey,
} from '../../../src/core/verifier/attestation-key.ts'
import { createEmulatedKey } from '../../../swtpm/emulated/key.ts'
import { rsaArea } from '../tpm/structures.ts'
import { beginEnrollment, refusalOf } from './fixtures.ts'

const template = parseTpmtPublic(attestationKeyTemplate(new Uint8Array(32))) as EccPublic
const key = createEmulatedKey(template, 'endorsement')
const area = key.area as EccPublic
const rsa = createEmulatedKey({ ...rsaArea, authPolicy: new Uint8Array() }, 'endorsement')

function verify(changed: TpmtPublic): string {
  return refusalOf(() => verifyAttestationKey({ public: encodeTpmtPublic(changed) }))
}

test('an attestation key of the host tool is accepted, with the Names that follow from its bytes', t => {
  const verified = verifyAttestationKey({ public: key.public })
  t.deepEqual(Buffer.from(verified.name), Buffer.from(nameOf(key.public)))
  t.deepEqual(verified.qualifiedName, qualifiedNameOf('endorsement', key.name))
  t.deepEqual(encodeTpmtPublic(verified.area), Buffer.from(key.public))
  t.true(verified.key.equals(key.publicKey))
  t.deepEqual(
    verified.checks.map(({ code, outcome }) => `${code} ${outcome}`),
    [
      'ak-public-malformed pass',
      'ak-attributes pass',
      'ak-name-algorithm pass',
      'ak-symmetric pass',
      'ak-scheme pass',
      'ak-key-weak pass',
    ],
  )
})

test('RSA with RSASSA and RSAPSS is accepted as well, on each strong hash', t => {
  for (const scheme of [TPM_ALG.RSASSA, TPM_ALG.RSAPSS])
    for (const hash of [TPM_ALG.SHA256, TPM_ALG.SHA384, TPM_ALG.SHA512])
      t.is(verify({ ...rsa.area, scheme: { scheme, hash } }), 'accepted')
})

test('nobody else makes one', t => {
  t.throws(() => new AttestationKey(Symbol('attestation key') as never, {} as never), {
    instanceOf: TypeError,
  })
})

test('a key from the record is checked again', t => {
  t.deepEqual(restoreAttestationKey(key.public).name, verifyAttestationKey(key).name)
  const weak = encodeTpmtPublic({ ...area, objectAttributes: 0x0004_0472 })
  t.is(
    refusalOf(() => restoreAttestationKey(weak)),
    'ak-attributes',
  )
})

const leftToHost: readonly ObjectAttribute[] = ['userWithAuth', 'adminWithPolicy', 'noDA']

for (const [name, bit] of Object.entries(TPMA_OBJECT)) {
  const isFree = leftToHost.includes(name as ObjectAttribute)
  const outcome = isFree ? 'is accepted and stands in the verdict' : 'is refused before a challenge'

  test(`K1 a key with ${name} turned round ${outcome}`, t => {
    const edit = (changed: TpmtPublic): TpmtPublic => ({
      ...changed,
      objectAttributes: changed.objectAttributes ^ bit,
    })
    const refusal = refusalOf(() => beginEnrollment({ editAttestationKey: edit }))
    t.is(refusal, isFree ? 'accepted' : 'ak-attributes')
    if (!isFree) return
    const { checks } = beginEnrollment({ editAttestationKey: edit }).attestationKey
    const found = checks.find(({ code }) => code === 'ak-attributes')?.found?.split(' ')
    t.is(found?.includes(name), (area.objectAttributes & bit) === 0)
  })
}

test('K1 P6 a key with a reserved bit, firmwareLimited and svnLimited among them, is refused', t => {
  const known = Object.values(TPMA_OBJECT).reduce((all, bit) => all | bit, 0)
  const reserved = Array.from({ length: 32 }, (_, n) => 2 ** n).filter(bit => (bit & known) === 0)
  t.is(reserved.length, 20)
  for (const bit of reserved) {
    const objectAttributes = (area.objectAttributes | bit) >>> 0
    t.is(verify({ ...area, objectAttributes }), 'ak-attributes')
  }
})

test('K6 the authorization policy of the key stands in the verdict', t => {
  const authPolicy = Buffer.from('9dffcbf3', 'hex')
  const { checks } = verifyAttestationKey({ public: encodeTpmtPublic({ ...area, authPolicy }) })
  t.true(checks.find(({ code }) => code === 'ak-attributes')?.found?.endsWith('policy 9dffcbf3'))
})

test('K2 a key without scheme, with a weak or unknown hash or with one that attests nothing is refused', t => {
  const ecc: (Scheme | undefined)[] = [
    undefined,
    { scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA1 },
    { scheme: TPM_ALG.ECDSA, hash: 0x010b },
    { scheme: TPM_ALG.ECDAA, hash: TPM_ALG.SHA256, count: 0 },
    { scheme: TPM_ALG.SM2, hash: TPM_ALG.SHA256 },
    { scheme: TPM_ALG.ECSCHNORR, hash: TPM_ALG.SHA256 },
  ]
  for (const scheme of ecc) t.is(verify({ ...area, scheme }), 'ak-scheme')
  for (const scheme of [
    undefined,
    { scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA1 },
    { scheme: TPM_ALG.RSAES },
    { scheme: TPM_ALG.OAEP, hash: TPM_ALG.SHA256 },
  ])
    t.is(verify({ ...rsa.area, scheme }), 'ak-scheme')
})

test('K3 a weak RSA key is refused and the refusal says what is weak', t => {
  if (rsa.area.type !== TPM_ALG.RSA) throw new TypeError('an RSA key')
  const { modulus } = rsa.area
  const even = Uint8Array.from(modulus)
  even[255] = 2
  const small = Uint8Array.from(modulus)
  small[0] = 0x7f
  // 2048 bits with the fingerprint: congruent to 1 modulo each prime of the generator.
  const fingerprint = Uint8Array.from(rocaModulus())
  const cases: [Partial<typeof rsa.area>, string][] = [
    [{ keyBits: 1024, modulus: modulus.subarray(128) }, 'RSA of 1024 bits'],
    [{ modulus: even }, 'an ill-formed modulus'],
    [{ modulus: small }, 'an ill-formed modulus'],
    [{ modulus: new Uint8Array() }, 'an ill-formed modulus'],
    [{ modulus: modulus.subarray(1) }, 'an ill-formed modulus'],
    [{ exponent: 3 }, 'exponent 3'],
    [{ exponent: 65_539 }, 'exponent 65539'],
    [{ modulus: fingerprint }, 'the fingerprint of CVE-2017-15361'],
  ]
  t.is(verify({ ...rsa.area, exponent: 65_537 }), 'accepted')
  for (const [change, found] of cases) {
    const changed = encodeTpmtPublic({ ...rsa.area, ...change })
    const error = t.throws(() => verifyAttestationKey({ public: changed }))
    t.like(error, { code: 'ak-key-weak', found })
  }
})

/** A number of 2048 bits that is 1 modulo the product of the primes up to 353 and odd. */
function rocaModulus(): Uint8Array {
  const primes = Array.from({ length: 354 }, (_, n) => n).filter(
    n => n > 1 && Array.from({ length: n - 2 }, (_, m) => m + 2).every(m => n % m !== 0),
  )
  const product = primes.reduce((all, prime) => all * BigInt(prime), 1n)
  const start = 0xc0n << 2040n
  const modulus = start - (start % product) + product + 1n
  return Buffer.from(modulus.toString(16).padStart(512, '0'), 'hex')
}

test('K3 a key on another curve or off its curve is refused', t => {
  t.is(verify({ ...area, curveId: 0x20 }), 'ak-key-weak')
  t.is(verify({ ...area, curveId: 0x0010 }), 'ak-key-weak')
  t.is(verify({ ...area, x: new Uint8Array(32).fill(1) }), 'ak-key-weak')
  t.is(verify({ ...area, x: new Uint8Array(), y: new Uint8Array() }), 'ak-key-weak')
  for (const curveId of [4, 5]) {
    const { area: other } = createEmulatedKey({ ...template, curveId }, 'endorsement')
    t.is(verify(other), 'accepted')
  }
})

test('K4 A3 a Name built with SHA-1 or an unknown hash is refused', t => {
  for (const nameAlg of [TPM_ALG.SHA1, 0x0012, 0x010b, 0])
    t.is(verify({ ...area, nameAlg }), 'ak-name-algorithm')
  for (const nameAlg of [TPM_ALG.SHA384, TPM_ALG.SHA512])
    t.is(verify({ ...area, nameAlg }), 'accepted')
})

test('K5 a symmetric algorithm or a key derivation is refused', t => {
  const symmetric = { algorithm: TPM_ALG.AES, keyBits: 128, mode: TPM_ALG.CFB }
  t.is(verify({ ...area, symmetric }), 'ak-symmetric')
  t.is(verify({ ...rsa.area, symmetric }), 'ak-symmetric')
  const kdf = { scheme: 0x0020, hash: TPM_ALG.SHA256 }
  t.is(verify({ ...area, kdf }), 'ak-symmetric')
})

test('P1 P2 bytes that are not exactly one public area are malformed', t => {
  const bytes = key.public
  const wrong = [
    new Uint8Array(),
    bytes.subarray(1),
    bytes.subarray(0, -1),
    Buffer.concat([bytes, Uint8Array.of(0)]),
    // A TPM2B_PUBLIC is not a TPMT_PUBLIC.
    Buffer.concat([Uint8Array.of(0, bytes.length), bytes]),
  ]
  for (const changed of wrong)
    t.is(
      refusalOf(() => verifyAttestationKey({ public: changed })),
      'ak-public-malformed',
    )
})

test('what was verified does not change with the bytes that were given', t => {
  const bytes = Uint8Array.from(key.public)
  const verified = verifyAttestationKey({ public: bytes })
  const before = verified.area.type === TPM_ALG.ECC ? Buffer.from(verified.area.x) : undefined
  bytes.fill(0)
  t.deepEqual(verified.area.type === TPM_ALG.ECC ? Buffer.from(verified.area.x) : 0, before)
})
