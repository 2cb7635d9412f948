import { createHash } from 'node:crypto'
import { isEqual } from '../bytes/equal.ts'
import { lengthPrefixed } from '../bytes/encode.ts'
import type { AttestationKey } from './attestation-key.ts'
import { CheckRecorder, type Check } from './check.ts'
import type { EndorsementKey } from './endorsement-key.ts'
import type { ParentClaim } from './parentage.ts'
import { verifyQuote, type QuoteEvidence, type VerifiedQuote } from './quote.ts'
import { verifySubjectKey, type VerifiedSubjectKey } from './subject-key.ts'
import { isSameRun, type SignedAttestation, type TpmFacts } from './tpm-attestation.ts'
import { activationProof, quoteBinding, type EnrollmentContext } from './transcript.ts'

/** A host's answer to the challenge of its enrolment, as it came in. */
export interface EvidenceInput extends QuoteEvidence {
  /** HMAC by the recovered secret over the whole answer, see `activationProof`. */
  readonly activation: Uint8Array
  readonly subjectKey: {
    /** TPMT_PUBLIC. */
    readonly public: Uint8Array
    readonly parent: ParentClaim
    readonly certify: SignedAttestation
  }
  /** PKCS#10, DER. */
  readonly csr: Uint8Array
}

const seal = Symbol('evidence')

/** Evidence of the `tpm2` format: the one copy of the answer that everything after is computed from. */
export class Evidence {
  readonly #input: EvidenceInput

  constructor(key: typeof seal, input: EvidenceInput) {
    if (key !== seal) throw new TypeError('made by parseEvidence alone')
    this.#input = input
  }

  get input(): EvidenceInput {
    return this.#input
  }
}

/**
 * Takes an answer out of its caller's hands: copied, so that what is verified is what is used. Structures inside are
 * parsed by the step that verifies them.
 */
export function parseEvidence(input: EvidenceInput): Evidence {
  return new Evidence(seal, structuredClone(input))
}

/** What the service knows of the enrolment that is answered; none of it comes from the answer. */
export interface EvidenceExpectations {
  readonly endorsementKey: EndorsementKey
  readonly attestationKey: AttestationKey
  /** The service's issuer URL. */
  readonly audience: string
  readonly enrollmentId: string
  readonly nonce: Uint8Array
  /** What only the challenged TPM could recover. */
  readonly secret: Uint8Array
  readonly pcrSelection: { readonly sha256: readonly number[] }
}

interface Parts {
  readonly endorsementKey: EndorsementKey
  readonly attestationKey: AttestationKey
  readonly subjectKey: VerifiedSubjectKey
  readonly quote: VerifiedQuote
  readonly sha256: string
  readonly checks: readonly Check[]
}

/** Evidence that is genuine and fresh: what it says is so. Whether that is good enough, a policy decides. */
export class VerifiedEvidence {
  readonly #parts: Parts

  constructor(key: typeof seal, parts: Parts) {
    if (key !== seal) throw new TypeError('made by verifyEvidence alone')
    this.#parts = parts
  }

  get endorsementKey(): EndorsementKey {
    return this.#parts.endorsementKey
  }

  get attestationKey(): AttestationKey {
    return this.#parts.attestationKey
  }

  get subjectKey(): VerifiedSubjectKey {
    return this.#parts.subjectKey
  }

  /** Values of the SHA-256 bank by PCR number, as the TPM signed them. */
  get pcrs(): ReadonlyMap<number, Uint8Array> {
    return this.#parts.quote.pcrs
  }

  /** Clock, counters and firmware of the TPM at the quote. */
  get facts(): TpmFacts {
    return this.#parts.quote.facts
  }

  /** Hex SHA-256 over every member of the answer and both keys. */
  get sha256(): string {
    return this.#parts.sha256
  }

  get checks(): readonly Check[] {
    return this.#parts.checks
  }
}

/**
 * Verifies an answer against what the service computed: the activation first, since it shows that the challenged TPM
 * stands behind every part of the answer, then the quote, the certification and the request.
 *
 * @throws EvidenceError with the checks that ran, those of both keys among them
 * @see RFC 9334 §7; verification C3, C4, F1 to F10, Q1 to Q12
 */
export function verifyEvidence(
  evidence: Evidence,
  expected: EvidenceExpectations,
): VerifiedEvidence {
  const { endorsementKey, attestationKey } = expected
  const checks = new CheckRecorder()
  checks.adopt(endorsementKey.checks)
  checks.adopt(attestationKey.checks)
  const context = contextOf(expected)
  verifyActivation(checks, evidence.input, expected.secret, context)
  const binding = quoteBinding(context)
  const quote = verifyQuote(checks, evidence.input, { ...expected, binding })
  const subjectKey = verifyKeyOfAnswer(checks, evidence.input, expected)
  checks.require(isSameRun(quote.facts, subjectKey.facts), 'quote-clock')
  const sha256 = evidenceDigest(evidence.input, expected, quote)
  const keys = { endorsementKey, attestationKey, subjectKey }
  return new VerifiedEvidence(seal, { ...keys, quote, sha256, checks: checks.list })
}

function contextOf(expected: EvidenceExpectations): EnrollmentContext {
  const { audience, enrollmentId, nonce, endorsementKey, attestationKey } = expected
  return {
    audience,
    enrollmentId,
    nonce,
    endorsementName: endorsementKey.name,
    attestationName: attestationKey.name,
  }
}

function verifyActivation(
  checks: CheckRecorder,
  { activation, quote, subjectKey, csr }: EvidenceInput,
  secret: Uint8Array,
  context: EnrollmentContext,
): void {
  const answer = { quote: quote.attest, certify: subjectKey.certify.attest, csr }
  const proof = activationProof(secret, context, answer)
  checks.require(isEqual(activation, proof), 'activation-proof', { bytes: activation })
}

function verifyKeyOfAnswer(
  checks: CheckRecorder,
  { subjectKey, csr }: EvidenceInput,
  expected: EvidenceExpectations,
): VerifiedSubjectKey {
  const verified = checks.within(() =>
    verifySubjectKey({
      attestationKey: expected.attestationKey,
      public: subjectKey.public,
      parent: subjectKey.parent,
      ...subjectKey.certify,
      csr,
      nonce: expected.nonce,
      audience: expected.audience,
      purpose: 'host',
      contextId: expected.enrollmentId,
    }),
  )
  checks.adopt(verified.checks)
  return verified
}

function evidenceDigest(
  { quote, subjectKey, csr }: EvidenceInput,
  expected: EvidenceExpectations,
  { pcrs }: VerifiedQuote,
): string {
  const values = [...pcrs].flatMap(([pcr, value]) => [
    String(pcr),
    Buffer.from(value).toString('hex'),
  ])
  const { certify, parent } = subjectKey
  const keys = [expected.endorsementKey.name, expected.attestationKey.name]
  const quoted = [quote.attest, quote.signature, ...values]
  const certified = [subjectKey.public, parent.public, parent.hierarchy]
  const signed = [certify.attest, certify.signature, csr]
  const fields = ['assay/evidence/v1', ...keys, ...quoted, ...certified, ...signed]
  return createHash('sha256').update(lengthPrefixed(fields)).digest('hex')
}
