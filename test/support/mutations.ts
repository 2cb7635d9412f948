import { TPM_ALG } from '../../src/core/tpm/algorithm.ts'
import { TPMA_OBJECT } from '../../src/core/tpm/attributes.ts'
import type { TpmtPublic } from '../../src/core/tpm/public.ts'
import type { AnswerEdit } from '../../swtpm/emulated/answer.ts'
import type { EmulatedTpm } from '../../swtpm/emulated/emulated-tpm.ts'
import { attestationMutants, type Mutant } from './attestation-mutations.ts'
import { byteMutations, type ByteMutation } from './byte-mutations.ts'

/**
 * Answers that a forger would give who holds the attestation key itself, and so signs whatever he likes; each of them
 * must be refused.
 *
 * @param tpm the one that is challenged
 */
export function mutantsOf(tpm: EmulatedTpm): Mutant[] {
  return [...attestationMutants(tpm), ...subjectMutants(tpm), ...answerMutants()]
}

/** Subject keys that a TPM would make if it were asked, truly certified. */
function subjectMutants(tpm: EmulatedTpm): Mutant[] {
  const subject = (name: string, edit: (area: TpmtPublic) => TpmtPublic): Mutant => ({
    name: `subject key: ${name}`,
    edit: { subject: tpm.createSubjectKey(edit) },
  })
  const free: number = TPMA_OBJECT.userWithAuth | TPMA_OBJECT.adminWithPolicy | TPMA_OBJECT.noDA
  const bits = Array.from({ length: 32 }, (_, n) => 2 ** n).filter(bit => (bit & free) === 0)
  const attributes = bits.map(bit =>
    subject(`attribute ${bit.toString(16)} turned round`, area => ({
      ...area,
      objectAttributes: (area.objectAttributes ^ bit) >>> 0,
    })),
  )
  const schemes = [TPM_ALG.ECDH, TPM_ALG.SM2, TPM_ALG.ECSCHNORR, TPM_ALG.ECMQV]
  return [
    ...attributes,
    ...schemes.map(scheme =>
      subject(`scheme ${scheme.toString(16)}`, area => ({
        ...area,
        scheme: { scheme, hash: TPM_ALG.SHA256 },
      })),
    ),
    subject('scheme with SHA-1', area => ({
      ...area,
      scheme: { scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA1 },
    })),
    subject('on another curve', area => ({ ...area, curveId: 5 })),
    subject('off its curve', area => ({ ...area, x: new Uint8Array(32).fill(1) })),
    subject('named with SHA-1', area => ({ ...area, nameAlg: TPM_ALG.SHA1 })),
    subject('a policy', area => ({ ...area, authPolicy: new Uint8Array(32) })),
    subject('a symmetric algorithm', area => ({
      ...area,
      symmetric: { algorithm: TPM_ALG.AES, keyBits: 128, mode: TPM_ALG.CFB },
    })),
  ]
}

type Answer = Parameters<NonNullable<AnswerEdit['answer']>>[0]
type SubjectKey = Answer['subjectKey']

/** Parts of the answer that no TPM signs, changed before the proof of activation is made over it. */
function answerMutants(): Mutant[] {
  // Sizes stand behind type, nameAlg and attributes; the ECC parameters; each coordinate.
  const parents = [...byteMutations(new Uint8Array(90), [8, 22, 56]), ...attributeFlips()]
  const areas = byteMutations(new Uint8Array(86), [8, 18, 52])
  return [
    ...pcrMutants(),
    ...parents.map(({ name, change }) =>
      keyMutant(`parent ${name}`, key => ({
        parent: { ...key.parent, public: change(key.parent.public) },
      })),
    ),
    ...areas.map(({ name, change }) =>
      keyMutant(`public area ${name}`, key => ({ public: change(key.public) })),
    ),
    { name: 'another hierarchy', edit: { hierarchy: 'endorsement' } },
  ]
}

function keyMutant(name: string, change: (key: SubjectKey) => Partial<SubjectKey>): Mutant {
  const answer = (value: Answer): Answer => ({
    ...value,
    subjectKey: { ...value.subjectKey, ...change(value.subjectKey) },
  })
  return { name, edit: { answer } }
}

function pcrMutants(): Mutant[] {
  const pcr = (name: string, change: Readonly<Record<string, string>>): Mutant => ({
    name: `PCR ${name}`,
    edit: {
      answer: value => ({ ...value, pcrs: { sha256: { ...value.pcrs.sha256, ...change } } }),
    },
  })
  const values = [0, 1, 2, 3, 4, 5, 6, 7].flatMap(number => [
    pcr(`${number} of another value`, { [number]: 'ff'.repeat(32) }),
    pcr(`${number} of no value`, { [number]: '' }),
    pcr(`${number} of a longer value`, { [number]: '00'.repeat(33) }),
  ])
  return [...values, pcr('8 beside them', { 8: '00'.repeat(32) })]
}

/** Each of the 32 attributes of a public area turned round. */
function attributeFlips(): ByteMutation[] {
  return Array.from({ length: 32 }, (_, bit) => ({
    name: `attribute ${bit} turned round`,
    change: (bytes: Uint8Array) => {
      const changed = Buffer.from(bytes)
      changed.writeUInt32BE((changed.readUInt32BE(4) ^ (2 ** bit)) >>> 0, 4)
      return changed
    },
  }))
}
