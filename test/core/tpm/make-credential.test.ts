import { randomBytes } from 'node:crypto'
import test from 'ava'
import { hashAlgorithm, TPM_ALG } from '../../../src/core/tpm/algorithm.ts'
import { makeCredential, type ProtectedCredential } from '../../../src/core/tpm/make-credential.ts'
import type { TpmtPublic } from '../../../src/core/tpm/public.ts'
import { attestationKeyTemplate, endorsementTemplates } from '../../../src/core/tpm/templates.ts'
import { parseTpmtPublic } from '../../../src/core/tpm/public.ts'
import { activateCredential } from '../../../swtpm/emulated/activate-credential.ts'
import { createEmulatedKey, type EmulatedKey } from '../../../swtpm/emulated/key.ts'

const random = (length: number): Uint8Array => randomBytes(length)
const attestationArea = parseTpmtPublic(attestationKeyTemplate(randomBytes(32)))
const attestationKeys = [TPM_ALG.SHA256, TPM_ALG.SHA384].map(nameAlg =>
  createEmulatedKey({ ...attestationArea, nameAlg }, 'endorsement'),
)
const [attestationKey] = attestationKeys as [EmulatedKey]

/** The credential that came back, or that none did. */
function activate(key: EmulatedKey, name: Uint8Array, credential: ProtectedCredential): string {
  try {
    return Buffer.from(activateCredential(key, name, credential)).toString('hex')
  } catch {
    return 'refused'
  }
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}

for (const { name, public: template } of endorsementTemplates) {
  const endorsementKey = createEmulatedKey(template, 'endorsement')
  const { size } = hashAlgorithm(template.nameAlg)

  for (const { name: objectName } of attestationKeys) {
    const hash = objectName[1] === TPM_ALG.SHA256 ? 'SHA-256' : 'SHA-384'
    test(`a key by ${name} gets back what was made for it and an object named with ${hash}`, t => {
      for (const length of [1, 16, 32, size]) {
        const secret = randomBytes(length)
        const credential = makeCredential(endorsementKey.area, objectName, secret, random)
        t.is(activate(endorsementKey, objectName, credential), secret.toString('hex'))
      }
    })
  }

  test(`a key by ${name} gets nothing of a changed credential or for another object`, t => {
    const { name: objectName } = attestationKey
    const secret = randomBytes(32)
    const credential = makeCredential(endorsementKey.area, objectName, secret, random)
    t.is(activate(endorsementKey, objectName, credential), secret.toString('hex'))
    const { credentialBlob, encryptedSecret } = credential
    const otherName = flipped(objectName, objectName.length - 1)
    const wrong = [
      activate(endorsementKey, otherName, credential),
      // The integrity, then the identity behind it, then the seed.
      activate(endorsementKey, objectName, {
        ...credential,
        credentialBlob: flipped(credentialBlob, 2),
      }),
      activate(endorsementKey, objectName, {
        ...credential,
        credentialBlob: flipped(credentialBlob, credentialBlob.length - 1),
      }),
      activate(endorsementKey, objectName, {
        ...credential,
        encryptedSecret: flipped(encryptedSecret, encryptedSecret.length - 1),
      }),
    ]
    t.deepEqual(wrong, ['refused', 'refused', 'refused', 'refused'])
  })
}

test('another endorsement key gets nothing', t => {
  const [first, second] = [1, 2].map(() => createEmulatedKey(l2(), 'endorsement')) as [
    EmulatedKey,
    EmulatedKey,
  ]
  const credential = makeCredential(first.area, attestationKey.name, randomBytes(32), random)
  t.not(activate(first, attestationKey.name, credential), 'refused')
  t.is(activate(second, attestationKey.name, credential), 'refused')
})

test('an ephemeral key is never zero or beyond the order: such bytes are drawn again', t => {
  const key = createEmulatedKey(l2(), 'endorsement')
  const draws = [new Uint8Array(32), new Uint8Array(32).fill(0xff), new Uint8Array(32).fill(1)]
  const drawn = (): Uint8Array => draws.shift() ?? randomBytes(32)
  const secret = randomBytes(32)
  const credential = makeCredential(key.area, attestationKey.name, secret, drawn)
  t.deepEqual(draws, [])
  t.is(activate(key, attestationKey.name, credential), secret.toString('hex'))
})

test('what a caller should not have let through is the bug of the caller', t => {
  const { area } = createEmulatedKey(l2(), 'endorsement')
  const make = (key: TpmtPublic, length = 32): (() => unknown) => {
    return () => makeCredential(key, attestationKey.name, randomBytes(length), random)
  }
  const rsa = endorsementTemplates.find(row => row.name === 'H-1')?.public as TpmtPublic
  for (const run of [
    make(area, 33),
    make({ ...area, curveId: 0x20 } as TpmtPublic),
    make({ ...area, x: new Uint8Array(33).fill(1) } as TpmtPublic),
    make({ ...area, x: new Uint8Array(32).fill(1) } as TpmtPublic),
    make({ ...area, symmetric: undefined }),
    make({ ...area, symmetric: { algorithm: TPM_ALG.AES, keyBits: 192, mode: TPM_ALG.CFB } }),
    make(rsa),
  ]) {
    t.throws(run, { instanceOf: TypeError })
  }
})

function l2(): TpmtPublic {
  return endorsementTemplates.find(row => row.name === 'L-2')?.public as TpmtPublic
}
