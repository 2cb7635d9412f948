import { sign } from 'node:crypto'
import * as der from '../../src/core/der/writer.ts'
import {
  encodeEcdsaSignature,
  signatureAlgorithms,
} from '../../src/core/issuance/signature-algorithm.ts'
import type { ProtectedCredential } from '../../src/core/tpm/make-credential.ts'
import {
  activationProof,
  certifyBinding,
  quoteBinding,
} from '../../src/core/verifier/transcript.ts'
import type { EvidenceInput } from '../../src/core/verifier/evidence.ts'
import { activateCredential } from './activate-credential.ts'
import type { AttestationEdit, EmulatedTpm } from './emulated-tpm.ts'
import type { EmulatedKey } from './key.ts'

/** The challenge of an enrolment, as the service makes it. */
export interface ChallengeToAnswer extends ProtectedCredential {
  readonly id: string
  readonly nonce: Uint8Array
  readonly audience: string
  readonly pcrSelection: { readonly sha256: readonly number[] }
}

/** What a forger changes in an answer; everything that is not named is as an honest host makes it. */
export interface AnswerEdit {
  /** Whose key is certified and asked for. */
  readonly subject?: EmulatedKey
  /** Whose key the certificate request is for and signed by. */
  readonly requestKey?: EmulatedKey
  readonly requestSigner?: EmulatedKey
  /** Changes the certificate request before the certification is bound to it. */
  readonly request?: (csr: Uint8Array) => Uint8Array
  readonly certify?: AttestationEdit
  readonly quote?: AttestationEdit
  /** PCRs that are quoted, whatever the challenge asks for. */
  readonly quotedPcrs?: readonly number[]
  /** Nonce that quote and certification are bound to, whatever the challenge says. */
  readonly nonce?: Uint8Array
  readonly hierarchy?: 'owner' | 'endorsement'
  /** Secret that the proof is keyed with, where it was not recovered. */
  readonly secret?: Uint8Array
  /** Changes the whole answer before the proof of activation is made over it. */
  readonly answer?: (answer: Omit<EvidenceInput, 'activation'>) => Omit<EvidenceInput, 'activation'>
}

/** An answer to the challenge of an enrolment, with the key that was certified. */
export function answerChallenge(
  tpm: EmulatedTpm,
  challenge: ChallengeToAnswer,
  edit: AnswerEdit = {},
): EvidenceInput & { readonly key: EmulatedKey } {
  const secret =
    edit.secret ?? activateCredential(tpm.endorsementKey, tpm.attestationKey.name, challenge)
  const context = {
    audience: challenge.audience,
    enrollmentId: challenge.id,
    nonce: edit.nonce ?? challenge.nonce,
    endorsementName: tpm.endorsementKey.name,
    attestationName: tpm.attestationKey.name,
  }
  const purpose = { purpose: 'host', contextId: challenge.id } as const
  const key = edit.subject ?? tpm.createSubjectKey()
  const certified = certifyKey(tpm, key, { ...context, ...purpose }, edit)
  const pcrs = edit.quotedPcrs ?? challenge.pcrSelection.sha256
  const quote = tpm.quote(pcrs, quoteBinding(context), edit.quote)
  const whole = { ...certified, quote, pcrs: { sha256: pcrValues(tpm, pcrs) } }
  const answer = edit.answer?.(whole) ?? whole
  const signed = {
    quote: answer.quote.attest,
    certify: answer.subjectKey.certify.attest,
    csr: answer.csr,
  }
  const proven = { ...context, nonce: challenge.nonce }
  return { ...answer, activation: activationProof(secret, proven, signed), key }
}

/** A challenge to prove an agent's key, as the service makes it. */
export interface KeyChallengeToAnswer {
  readonly nonce: Uint8Array
  readonly audience: string
}

/** Evidence for a key of an agent: request and certification. */
export function proveKey(
  tpm: EmulatedTpm,
  agentId: string,
  challenge: KeyChallengeToAnswer,
  edit: AnswerEdit = {},
): ProvenKeyAnswer {
  return certifyFor(tpm, { purpose: 'agent', contextId: agentId }, challenge, edit)
}

/** Evidence that a TPM still holds the key of a host or agent: request and certification. */
export function proveRenewal(
  tpm: EmulatedTpm,
  holder: { readonly id: string; readonly tpmKey: EmulatedKey },
  challenge: KeyChallengeToAnswer,
  edit: AnswerEdit = {},
): ProvenKeyAnswer {
  const use = { purpose: 'renewal', contextId: holder.id } as const
  return certifyFor(tpm, use, challenge, { subject: holder.tpmKey, ...edit })
}

/** Request and certification of a key, and the key. */
export type ProvenKeyAnswer = Pick<EvidenceInput, 'subjectKey' | 'csr'> & {
  readonly key: EmulatedKey
}

function certifyFor(
  tpm: EmulatedTpm,
  use: Pick<Parameters<typeof certifyBinding>[0], 'purpose' | 'contextId'>,
  { audience, nonce }: KeyChallengeToAnswer,
  edit: AnswerEdit,
): ProvenKeyAnswer {
  const key = edit.subject ?? tpm.createSubjectKey()
  const context = { ...use, audience, nonce: edit.nonce ?? nonce }
  return { ...certifyKey(tpm, key, context, edit), key }
}

function certifyKey(
  tpm: EmulatedTpm,
  key: EmulatedKey,
  context: Pick<
    Parameters<typeof certifyBinding>[0],
    'purpose' | 'audience' | 'contextId' | 'nonce'
  >,
  edit: AnswerEdit,
): Pick<EvidenceInput, 'subjectKey' | 'csr'> {
  const request = requestCertificate(edit.requestKey ?? key, edit.requestSigner)
  const csr = edit.request?.(request) ?? request
  const binding = certifyBinding({ ...context, csr, subjectName: key.name })
  const parent = { public: tpm.storageRoot.public, hierarchy: edit.hierarchy ?? 'owner' }
  const certify = tpm.certify(key, binding, edit.certify)
  return { csr, subjectKey: { public: key.public, parent, certify } }
}

/** A PKCS #10 request for a P-256 key, DER, signed by it or by another (RFC 2986 §4). */
export function requestCertificate(key: EmulatedKey, signer: EmulatedKey = key): Uint8Array {
  const spki = key.publicKey.export({ format: 'der', type: 'spki' })
  const signed = der.sequence(der.smallInteger(0), der.sequence(), spki, der.contextConstructed(0))
  const signature = sign('sha256', signed, { key: signer.privateKey, dsaEncoding: 'ieee-p1363' })
  const { identifier } = signatureAlgorithms.ES256
  return der.sequence(signed, identifier, der.bitString(encodeEcdsaSignature(signature)))
}

function pcrValues(tpm: EmulatedTpm, pcrs: readonly number[]): Record<string, string> {
  const values = pcrs.map(pcr => [
    String(pcr),
    Buffer.from(tpm.pcrs.get(pcr) ?? []).toString('hex'),
  ])
  return Object.fromEntries(values) as Record<string, string>
}
