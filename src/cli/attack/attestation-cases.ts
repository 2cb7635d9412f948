import type { AnswerEdit } from '../../../swtpm/emulated/answer.ts'
import type { AttestationEdit, EmulatedTpm } from '../../../swtpm/emulated/emulated-tpm.ts'
import { TPM_ALG } from '../../core/tpm/algorithm.ts'
import { TPM_ST_ATTEST, type TpmsAttest } from '../../core/tpm/attest.ts'
import { encodeTpmtSignature } from '../../core/tpm/signature.ts'
import type { AttackCase } from './attack-case.ts'
import { enroll } from './flows.ts'

const honest: AttackCase['twin'] = async world => await enroll(world)

function answerCase(
  name: string,
  code: string,
  answer: (tpm: EmulatedTpm) => AnswerEdit,
): AttackCase {
  return { name, code, attack: async world => await enroll(world, { answer }), twin: honest }
}

const withMagic = (attest: TpmsAttest): TpmsAttest => ({ ...attest, magic: 0x4749_4343 })
const withTrailing = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes, Uint8Array.of(0)])

/** A signed attestation of the other kind, made by the same key. */
function asQuote({ pcrs }: EmulatedTpm): AttestationEdit {
  const pcrSelect = [{ hash: TPM_ALG.SHA256, pcrs: [...pcrs.keys()].slice(0, 8) }]
  const attested = { type: TPM_ST_ATTEST.quote, pcrSelect, pcrDigest: new Uint8Array(32) } as const
  return { attest: attest => ({ ...attest, attested }) }
}

const sha1Bank: AttestationEdit = {
  attest: attest =>
    attest.attested.type === TPM_ST_ATTEST.quote
      ? { ...attest, attested: { ...attest.attested, pcrSelect: sha1Selection(attest) } }
      : attest,
}

function sha1Selection({ attested }: TpmsAttest): { hash: number; pcrs: readonly number[] }[] {
  const pcrs = attested.type === TPM_ST_ATTEST.quote ? (attested.pcrSelect[0]?.pcrs ?? []) : []
  return [{ hash: TPM_ALG.SHA1, pcrs }]
}

/** r and s of zero satisfy a verifier that forgets the bounds (CVE-2022-21449). */
const zeroSignature = (): Uint8Array =>
  encodeTpmtSignature({
    algorithm: TPM_ALG.ECDSA,
    hash: TPM_ALG.SHA256,
    r: new Uint8Array(32),
    s: new Uint8Array(32),
  })

/** What a TPM signs: its form, its kind, who signed, and what was measured. */
export const attestationCases: readonly AttackCase[] = [
  answerCase('quote offered as certification', 'certify-type', tpm => ({ certify: asQuote(tpm) })),
  answerCase('certification offered as quote', 'quote-type', tpm => ({
    quote: {
      attest: attest => ({
        ...attest,
        attested: {
          type: TPM_ST_ATTEST.certify,
          name: tpm.attestationKey.name,
          qualifiedName: tpm.attestationKey.qualifiedName,
        },
      }),
    },
  })),
  answerCase('certification that no TPM began', 'certify-magic', () => ({
    certify: { attest: withMagic },
  })),
  answerCase('quote that no TPM began', 'quote-magic', () => ({ quote: { attest: withMagic } })),
  answerCase('bytes after the certification', 'certify-malformed', () => ({
    certify: { bytes: withTrailing },
  })),
  answerCase('bytes after the quote', 'quote-malformed', () => ({
    quote: { bytes: withTrailing },
  })),
  answerCase('certification signed by another key', 'certify-signature', tpm => ({
    certify: { signer: tpm.createSubjectKey() },
  })),
  answerCase('signature of zeros', 'quote-signature', () => ({
    quote: { signature: zeroSignature },
  })),
  answerCase('quote without a PCR that was asked for', 'quote-selection', () => ({
    quotedPcrs: [0, 1, 2, 3, 4, 5, 6],
  })),
  answerCase('quote of PCRs that anybody resets', 'quote-selection', () => ({
    quotedPcrs: [16, 23],
  })),
  answerCase('quote of the SHA-1 bank alone', 'quote-selection', () => ({ quote: sha1Bank })),
  answerCase('PCR values other than signed', 'quote-pcr-digest', () => ({
    answer: answer => ({
      ...answer,
      pcrs: { sha256: { ...answer.pcrs.sha256, 7: 'ab'.repeat(32) } },
    }),
  })),
  answerCase('PCR value that is not a digest', 'quote-pcr-values', () => ({
    answer: ({ pcrs, ...answer }) => {
      const { 7: _missing, ...sha256 } = pcrs.sha256
      return { ...answer, pcrs: { sha256 } }
    },
  })),
  answerCase('quote and certification of two boots', 'quote-clock', () => ({
    quote: {
      attest: attest => ({
        ...attest,
        clockInfo: { ...attest.clockInfo, resetCount: attest.clockInfo.resetCount + 1 },
      }),
    },
  })),
]
