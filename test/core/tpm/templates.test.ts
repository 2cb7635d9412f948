import { createHash } from 'node:crypto'
import test from 'ava'
import { hashAlgorithm, TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { TPMA_OBJECT } from '../../../src/core/tpm/attributes.ts'
import { encodeTpmtPublic, parseTpmtPublic, type TpmtPublic } from '../../../src/core/tpm/public.ts'
import {
  attestationKeyTemplate,
  endorsementTemplates,
  matchEndorsementTemplate,
  storageRootTemplate,
  subjectKeyTemplate,
} from '../../../src/core/tpm/templates.ts'
import { createEmulatedKey } from '../../../swtpm/emulated/key.ts'

const zero = (length: number): Uint8Array => new Uint8Array(length)

/** H(policy ‖ command code ‖ rest): how every policy command extends a policy (TPM 2.0 Part 1 r01.59 §19.7). */
function extend(
  hash: string,
  policy: Uint8Array,
  ...parts: readonly (string | Uint8Array)[]
): Uint8Array {
  const digest = createHash(hash).update(policy)
  for (const part of parts)
    digest.update(typeof part === 'string' ? Buffer.from(part, 'hex') : part)
  return digest.digest()
}

/** PolicyA: PolicySecret of the endorsement hierarchy, without policyRef. */
function policyA(hash: string, size: number): Uint8Array {
  const secret = extend(hash, zero(size), '00000151', '4000000b')
  return extend(hash, secret, zero(0))
}

/** PolicyC: PolicyAuthorizeNV of an index of the profile, which is written and holds a policy. */
function policyC(hash: string, size: number, nameAlg: number, index: string): Uint8Array {
  const dataSize = (size + 2).toString(16).padStart(4, '0')
  const algorithm = nameAlg.toString(16).padStart(4, '0')
  const policy = policyA(hash, size)
  const policySize = size.toString(16).padStart(4, '0')
  const area = Buffer.concat([
    Buffer.from(`${index}${algorithm}220f1008${policySize}`, 'hex'),
    policy,
    Buffer.from(dataSize, 'hex'),
  ])
  const name = Buffer.concat([Buffer.from(algorithm, 'hex'), extend(hash, area)])
  return extend(hash, zero(size), '00000192', name)
}

/** PolicyB: A or C. */
function policyB(hash: string, size: number, nameAlg: number, index: string): Uint8Array {
  const [a, c] = [policyA(hash, size), policyC(hash, size, nameAlg, index)]
  return extend(hash, zero(size), '00000171', a, c)
}

const nvIndexes: Readonly<Record<number, string>> = {
  [TPM_ALG.SHA256]: '01c07f01',
  [TPM_ALG.SHA384]: '01c07f02',
  [TPM_ALG.SHA512]: '01c07f03',
}

for (const { name, public: area } of endorsementTemplates) {
  test(`the policy of ${name} is the one that the commands of the profile give`, t => {
    const { name: hash, size } = hashAlgorithm(area.nameAlg)
    const index = nvIndexes[area.nameAlg] ?? ''
    const expected = name.startsWith('L-')
      ? policyA(hash, size)
      : policyB(hash, size, area.nameAlg, index)
    t.deepEqual(Buffer.from(area.authPolicy), Buffer.from(expected))
  })
}

test('a key is found to follow its template, whatever the key', t => {
  for (const template of endorsementTemplates.filter(row => row.public.type === TPM_ALG.ECC)) {
    const key = createEmulatedKey(template.public, 'endorsement')
    t.is(matchEndorsementTemplate(key.area)?.name, template.name)
  }
  for (const template of endorsementTemplates)
    t.is(matchEndorsementTemplate(template.public)?.name, template.name)
})

test('a key that departs from its template in anything but the key follows none', t => {
  for (const { public: area } of endorsementTemplates) {
    for (const changed of departures(area)) t.is(matchEndorsementTemplate(changed), undefined)
  }
})

function departures(area: TpmtPublic): TpmtPublic[] {
  const attributes = Object.values(TPMA_OBJECT).map(bit => area.objectAttributes ^ bit)
  const policy = Uint8Array.from(area.authPolicy)
  policy[0] = (policy[0] ?? 0) ^ 1
  return [
    ...attributes.map(objectAttributes => ({ ...area, objectAttributes })),
    { ...area, nameAlg: TPM_ALG.SHA1 },
    { ...area, authPolicy: policy },
    { ...area, authPolicy: zero(0) },
    { ...area, symmetric: undefined },
    { ...area, symmetric: { algorithm: TPM_ALG.AES, keyBits: 192, mode: TPM_ALG.CFB } },
    { ...area, scheme: { scheme: TPM_ALG.RSASSA, hash: TPM_ALG.SHA256 } },
    area.type === TPM_ALG.RSA ? { ...area, keyBits: 1024 } : { ...area, curveId: 0x20 },
    area.type === TPM_ALG.RSA
      ? { ...area, exponent: 3 }
      : { ...area, kdf: { scheme: 0x20, hash: TPM_ALG.SHA256 } },
  ]
}

test('templates of keys that the host creates are public areas with the attributes they need', t => {
  const salt = new Uint8Array(32).fill(7)
  const areas = [attestationKeyTemplate(salt), storageRootTemplate(), subjectKeyTemplate()]
  const attributes = areas.map(bytes => parseTpmtPublic(bytes).objectAttributes)
  t.deepEqual(attributes, [0x0005_0472, 0x0003_0472, 0x0004_0472])
  for (const bytes of areas)
    t.deepEqual(Buffer.from(encodeTpmtPublic(parseTpmtPublic(bytes))), Buffer.from(bytes))
})

test('another salt makes another attestation key', t => {
  const [first, second] = [1, 2].map(n => attestationKeyTemplate(new Uint8Array(32).fill(n)))
  t.notDeepEqual(first, second)
})
