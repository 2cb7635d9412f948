import test from 'ava'
import { TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { TPMA_OBJECT, type ObjectAttribute } from '../../../src/core/tpm/attributes.ts'
import type { EccPublic, TpmtPublic } from '../../../src/core/tpm/public.ts'
import { CheckRecorder } from '../../../src/core/verifier/check.ts'
import { verifyParentage } from '../../../src/core/verifier/parentage.ts'
import { verifySubjectArea } from '../../../src/core/verifier/subject-area.ts'
import { verifySubjectKey } from '../../../src/core/verifier/subject-key.ts'
import { createEmulatedKey } from '../../../swtpm/emulated/key.ts'
import { octets, rsaArea } from '../tpm/structures.ts'
import { refusalOf } from './fixtures.ts'
import { refusalOfKey, subjectEvidence, tpm } from './subject-fixtures.ts'

/** How a key is refused that is changed before it is named, certified and requested for. */
function refusalOfArea(edit: (area: TpmtPublic) => TpmtPublic): string {
  return refusalOfKey({ subject: tpm.createSubjectKey(edit) })
}

const leftToHost: readonly ObjectAttribute[] = ['userWithAuth', 'adminWithPolicy', 'noDA']

for (const [name, bit] of Object.entries(TPMA_OBJECT)) {
  const isFree = leftToHost.includes(name as ObjectAttribute)
  const outcome = isFree ? 'accepted, and stands in the verdict' : 'refused'

  test(`F4 a subject key with ${name} turned round is ${outcome}`, t => {
    const edit = (area: TpmtPublic): TpmtPublic => ({
      ...area,
      objectAttributes: area.objectAttributes ^ bit,
    })
    t.is(refusalOfArea(edit), isFree ? 'accepted' : 'subject-attributes')
    if (!isFree) return
    const subject = tpm.createSubjectKey(edit)
    const { checks } = verifySubjectKey(subjectEvidence({ subject }))
    const found = checks.find(({ code }) => code === 'subject-attributes')?.found
    t.is(found?.includes(name), (subject.area.objectAttributes & bit) !== 0)
  })
}

test('F4 P6 a subject key with a reserved bit is refused', t => {
  for (const bit of [0x1, 0x8, 0x100, 0x200, 0x1000, 0x8000, 0x10_0000, 0x8000_0000])
    t.is(
      refusalOfArea(area => ({ ...area, objectAttributes: (area.objectAttributes | bit) >>> 0 })),
      'subject-attributes',
    )
})

test('F4 attributes of keys that other tools make: the one that only signs is accepted', t => {
  const attributes = {
    0x0006_0472: 'subject-attributes',
    0x0006_0072: 'subject-attributes',
    0x0004_0072: 'accepted',
  }
  for (const [objectAttributes, outcome] of Object.entries(attributes))
    t.is(
      refusalOfArea(area => ({ ...area, objectAttributes: Number(objectAttributes) })),
      outcome,
    )
})

test('F8 a policy that nobody promised is refused', t => {
  for (const length of [32, 1])
    t.is(
      refusalOfArea(area => ({ ...area, authPolicy: octets('policy', length) })),
      'subject-policy',
    )
})

test('F10 a Name built with SHA-1 or an unknown hash is refused', t => {
  t.is(
    refusalOfArea(area => ({ ...area, nameAlg: TPM_ALG.SHA1 })),
    'subject-name-algorithm',
  )
  t.is(
    refusalOfArea(area => ({ ...area, nameAlg: TPM_ALG.SHA384 })),
    'accepted',
  )
  const key = tpm.createSubjectKey()
  const bytes = Buffer.from(key.public)
  bytes.writeUInt16BE(0x010b, 2)
  t.is(refusalOfKey({ subject: key }, { public: bytes }), 'subject-name-algorithm')
})

test('A1 a scheme that signs with a weak hash, or does not sign, is refused', t => {
  const scheme = (algorithm: number, hash: number) => (area: TpmtPublic) => ({
    ...area,
    scheme: { scheme: algorithm, hash },
  })
  t.is(refusalOfArea(scheme(TPM_ALG.ECDSA, TPM_ALG.SHA256)), 'accepted')
  t.is(refusalOfArea(scheme(TPM_ALG.ECDSA, TPM_ALG.SHA1)), 'subject-scheme')
  t.is(refusalOfArea(scheme(TPM_ALG.ECDH, TPM_ALG.SHA256)), 'subject-scheme')
  t.is(refusalOfArea(scheme(TPM_ALG.ECSCHNORR, TPM_ALG.SHA256)), 'subject-scheme')
  const symmetric = { algorithm: TPM_ALG.AES, keyBits: 128, mode: TPM_ALG.CFB }
  t.is(
    refusalOfArea(area => ({ ...area, symmetric })),
    'subject-scheme',
  )
  const kdf = { scheme: 0x0020, hash: TPM_ALG.SHA256 }
  t.is(
    refusalOfArea(area => ({ ...area, kdf }) as TpmtPublic),
    'subject-scheme',
  )
})

test('a subject key on P-256 or P-384 is accepted; P-521, RSA and a point off its curve are not', t => {
  const template = tpm.createSubjectKey().area as EccPublic
  const areaOf = (curveId: number): string => {
    const { public: bytes } = createEmulatedKey({ ...template, curveId }, tpm.storageRoot)
    return refusalOf(() => verifySubjectArea(new CheckRecorder(), bytes))
  }
  t.deepEqual([3, 4, 5].map(areaOf), ['accepted', 'accepted', 'subject-key-weak'])
  t.is(
    refusalOfArea(area => ({ ...area, x: new Uint8Array(32).fill(1) }) as TpmtPublic),
    'subject-key-weak',
  )
  const { objectAttributes } = template
  const rsa = { ...rsaArea, objectAttributes, authPolicy: new Uint8Array(), scheme: undefined }
  const { public: bytes } = createEmulatedKey(rsa, tpm.storageRoot)
  t.is(
    refusalOf(() => verifySubjectArea(new CheckRecorder(), bytes)),
    'subject-key-weak',
  )
})

test('P1 P2 bytes that are not exactly one public area are malformed', t => {
  const { public: bytes } = tpm.createSubjectKey()
  for (const wrong of [new Uint8Array(), bytes.subarray(0, -1), Buffer.concat([bytes, bytes])])
    t.is(refusalOfKey({}, { public: wrong }), 'subject-public-malformed')
})

/** How a parent is refused that the key really lies below. */
function refusalOfParent(edit: (area: TpmtPublic) => TpmtPublic): string {
  const root = createEmulatedKey(tpm.storageRoot.area, 'owner', edit)
  const key = createEmulatedKey(tpm.createSubjectKey().area, root)
  const parent = { public: root.public, hierarchy: 'owner' } as const
  return refusalOf(() => {
    verifyParentage(new CheckRecorder(), parent, key.name, key.qualifiedName)
  })
}

test('F6 a parent must be a storage key that stays in its TPM', t => {
  t.is(
    refusalOfParent(area => area),
    'accepted',
  )
  const needed = [
    'fixedTPM',
    'fixedParent',
    'sensitiveDataOrigin',
    'restricted',
    'decrypt',
  ] as const
  const forbidden = ['sign', 'stClear', 'encryptedDuplication', 'x509sign'] as const
  for (const name of [...needed, ...forbidden]) {
    const bit = TPMA_OBJECT[name]
    t.is(
      refusalOfParent(area => ({ ...area, objectAttributes: area.objectAttributes ^ bit })),
      'subject-parent',
    )
  }
  t.is(
    refusalOfParent(area => ({ ...area, symmetric: undefined })),
    'subject-parent',
  )
  t.is(
    refusalOfParent(area => ({ ...area, nameAlg: TPM_ALG.SHA1 })),
    'subject-parent',
  )
})

test('F6 P1 a parent that cannot be read is malformed', t => {
  const { public: bytes } = tpm.storageRoot
  for (const wrong of [new Uint8Array(), bytes.subarray(0, -1), Buffer.concat([bytes, bytes])]) {
    const parent = { public: wrong, hierarchy: 'owner' } as const
    t.is(refusalOfKey({}, { parent }), 'subject-parent-malformed')
  }
})
