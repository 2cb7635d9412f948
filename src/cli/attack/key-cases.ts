import { createEmulatedKey, withArea } from '../../../swtpm/emulated/key.ts'
import type { EmulatedTpm } from '../../../swtpm/emulated/emulated-tpm.ts'
import type { AnswerEdit } from '../../../swtpm/emulated/answer.ts'
import { TPM_ALG } from '../../core/tpm/algorithm.ts'
import { TPMA_OBJECT, type ObjectAttribute } from '../../core/tpm/attributes.ts'
import type { TpmtPublic } from '../../core/tpm/public.ts'
import { subjectKeyTemplate } from '../../core/tpm/templates.ts'
import type { AttackCase } from './attack-case.ts'
import { enroll } from './flows.ts'

const honest: AttackCase['twin'] = async world => await enroll(world)

type Edit = (area: TpmtPublic) => TpmtPublic

function without(...names: readonly ObjectAttribute[]): Edit {
  const bits = names.reduce((all, name) => all | TPMA_OBJECT[name], 0)
  return area => ({ ...area, objectAttributes: area.objectAttributes & ~bits })
}

function withAttribute(name: ObjectAttribute): Edit {
  return area => ({ ...area, objectAttributes: area.objectAttributes | TPMA_OBJECT[name] })
}

function attestationCase(name: string, code: string, editAttestationKey: Edit): AttackCase {
  const attack: AttackCase['attack'] = async world =>
    await enroll(world, { options: { editAttestationKey } })
  return { name, code, attack, twin: honest }
}

function answerCase(
  name: string,
  code: string,
  answer: (tpm: EmulatedTpm) => AnswerEdit,
): AttackCase {
  return { name, code, attack: async world => await enroll(world, { answer }), twin: honest }
}

function subjectCase(name: string, code: string, edit: Edit): AttackCase {
  return answerCase(name, code, tpm => ({ subject: tpm.createSubjectKey(edit) }))
}

/** The attestation key and the subject key: born in the TPM, kept there, and able to do one thing. */
export const keyCases: readonly AttackCase[] = [
  attestationCase('attestation key that signs anything', 'ak-attributes', without('restricted')),
  attestationCase('attestation key loaded from outside', 'ak-attributes', without('fixedTPM')),
  attestationCase(
    'attestation key imported into the TPM',
    'ak-attributes',
    without('sensitiveDataOrigin'),
  ),
  attestationCase('attestation key that decrypts', 'ak-attributes', withAttribute('decrypt')),
  attestationCase('attestation key without a signature scheme', 'ak-scheme', area => ({
    ...area,
    scheme: undefined,
  })),
  attestationCase('attestation key that signs with SHA-1', 'ak-scheme', area => ({
    ...area,
    scheme: { scheme: TPM_ALG.ECDSA, hash: TPM_ALG.SHA1 },
  })),
  attestationCase('attestation key named with SHA-1', 'ak-name-algorithm', area => ({
    ...area,
    nameAlg: TPM_ALG.SHA1,
  })),
  {
    name: 'attestation key outside the endorsement hierarchy',
    code: 'quote-signer',
    attack: async world => await enroll(world, { options: { attestationAbove: 'null' } }),
    twin: honest,
  },
  subjectCase('key that was imported', 'subject-attributes', without('sensitiveDataOrigin')),
  subjectCase(
    'key that can be duplicated',
    'subject-attributes',
    without('fixedParent', 'fixedTPM'),
  ),
  subjectCase('key that also decrypts', 'subject-attributes', withAttribute('decrypt')),
  subjectCase('key under a policy that nobody promised', 'subject-policy', area => ({
    ...area,
    authPolicy: new Uint8Array(32).fill(7),
  })),
  answerCase('key of the null hierarchy', 'subject-parentage', () => ({
    subject: createEmulatedKey(subjectKeyTemplate(), 'null'),
  })),
  answerCase('key below another parent than named', 'subject-parentage', () => ({
    hierarchy: 'endorsement',
  })),
  answerCase('public area of another key than certified', 'certify-name', tpm => {
    const other = tpm.createSubjectKey()
    return {
      answer: answer => ({
        ...answer,
        subjectKey: { ...answer.subjectKey, public: other.public },
      }),
    }
  }),
  answerCase('certified attributes dressed up afterwards', 'certify-name', tpm => {
    const loose = tpm.createSubjectKey(without('fixedTPM', 'fixedParent'))
    const area = withAttribute('fixedTPM')(withAttribute('fixedParent')(loose.area))
    const dressed = withArea(area, tpm.storageRoot, loose.publicKey, loose.privateKey)
    return {
      subject: loose,
      answer: answer => ({
        ...answer,
        subjectKey: { ...answer.subjectKey, public: dressed.public },
      }),
    }
  }),
]
