import { exportJwk, thumbprint, type PublicJwk } from '../jose/jwk.ts'
import { TPM_ST_ATTEST } from '../tpm/attest.ts'
import type { TpmtPublic } from '../tpm/public.ts'
import {
  parseCertificationRequest,
  verifyCertificationRequest,
} from '../x509/certification-request.ts'
import type { AttestationKey } from './attestation-key.ts'
import { CheckRecorder, type Check } from './check.ts'
import { verifyParentage, type ParentClaim } from './parentage.ts'
import { verifySubjectArea, type SubjectArea } from './subject-area.ts'
import { tpmFactsOf, verifyAttestation, type TpmFacts } from './tpm-attestation.ts'
import { certifyBinding, type CertifyContext } from './transcript.ts'

const seal = Symbol('subject key')

/** A host's claim that a key lives in its TPM; the key is to stand in a certificate. Bytes, untrusted. */
export interface SubjectKeyEvidence extends Omit<CertifyContext, 'subjectName'> {
  /** The one that was activated for this host. */
  readonly attestationKey: AttestationKey
  /** TPMT_PUBLIC of the key. */
  readonly public: Uint8Array
  readonly parent: ParentClaim
  /** TPMS_ATTEST and TPMT_SIGNATURE of TPM2_Certify. */
  readonly attest: Uint8Array
  readonly signature: Uint8Array
}

interface Parts extends SubjectArea {
  readonly hierarchy: ParentClaim['hierarchy']
  readonly facts: TpmFacts
  readonly checks: readonly Check[]
}

/** A key of which its TPM said, for this challenge and this certificate request, that it was born there and stays. */
export class VerifiedSubjectKey {
  readonly #parts: Parts
  readonly #jwk: PublicJwk
  readonly #jkt: string

  constructor(key: typeof seal, parts: Parts) {
    if (key !== seal) throw new TypeError('made by verifySubjectKey alone')
    this.#parts = parts
    this.#jwk = exportJwk(parts.key)
    this.#jkt = thumbprint(this.#jwk)
  }

  /** DER SubjectPublicKeyInfo, made of what the TPM certified. */
  get spki(): Uint8Array {
    return this.#parts.spki
  }

  get jwk(): PublicJwk {
    return this.#jwk
  }

  /** RFC 7638 thumbprint. */
  get jkt(): string {
    return this.#jkt
  }

  get name(): Uint8Array {
    return this.#parts.name
  }

  get area(): TpmtPublic {
    return this.#parts.area
  }

  /** Where its storage key stands. */
  get hierarchy(): ParentClaim['hierarchy'] {
    return this.#parts.hierarchy
  }

  /** Clock and firmware of the TPM as it certified. */
  get facts(): TpmFacts {
    return this.#parts.facts
  }

  get checks(): readonly Check[] {
    return this.#parts.checks
  }
}

/**
 * Verifies that the key of a certificate request lives in the TPM of an attestation key, and that the TPM said so for
 * this nonce, purpose and request.
 *
 * @throws EvidenceError with the checks that ran
 * @see TPM 2.0 Part 3 r01.59 §18.2 TPM2_Certify; RFC 2986 §4; verification F1 to F10
 */
export function verifySubjectKey(evidence: SubjectKeyEvidence): VerifiedSubjectKey {
  const checks = new CheckRecorder()
  const subject = verifySubjectArea(checks, evidence.public)
  const { facts, qualifiedName } = verifyCertification(checks, evidence, subject)
  verifyParentage(checks, evidence.parent, subject.name, qualifiedName)
  verifyRequest(checks, evidence.csr, subject)
  const { hierarchy } = evidence.parent
  return new VerifiedSubjectKey(seal, { ...subject, hierarchy, facts, checks: checks.list })
}

function verifyCertification(
  checks: CheckRecorder,
  evidence: SubjectKeyEvidence,
  subject: SubjectArea,
): { facts: TpmFacts; qualifiedName: Uint8Array } {
  const { attestationKey, attest: bytes } = evidence
  const type = TPM_ST_ATTEST.certify
  const attest = verifyAttestation(checks, 'certify', type, attestationKey, evidence)
  const { attested } = attest
  checks.require(isSame(attested.name, subject.name), 'certify-name', { bytes })
  const binding = certifyBinding({ ...evidence, subjectName: subject.name })
  checks.require(isSame(attest.extraData, binding), 'certify-binding', { bytes })
  return { facts: tpmFactsOf(attest), qualifiedName: attested.qualifiedName }
}

/** The key of the request must be the key that was certified, and must have signed the request. */
function verifyRequest(checks: CheckRecorder, csr: Uint8Array, subject: SubjectArea): void {
  const request = checks.attempt('csr-unreadable', csr, () => parseCertificationRequest(csr))
  const isCertified = isSame(request.subjectPublicKeyInfo, subject.spki)
  checks.require(isCertified, 'csr-key-differs', { bytes: csr })
  checks.attempt('csr-unsigned', csr, () => verifyCertificationRequest(request, subject.key))
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}
