import type { EvidenceFormatId } from '../formats/format-table.ts'
import type { Verdict } from './verdict.ts'
import type { AppraisalStatus } from './status.ts'
import type { TrustworthinessVector } from './ar4si.ts'

/** The profile of the claims below. */
export const earProfile = 'tag:ietf.org,2026:rats/ear#03'

/** Media type of a signed EAR (RFC 9782 §3), and `typ` of its header without the prefix. */
export const earMediaType = 'application/eat+jwt'

/** Who appraised: developer and build of this verifier. */
export const earVerifier = { developer: 'assay', build: 'assay 0.1.0' } as const

/** The appraisal of one attester (draft-ietf-rats-ear-03 §3.2). */
export interface EarAppraisal {
  readonly ear_status: AppraisalStatus
  readonly ear_trustworthiness_vector: TrustworthinessVector
  readonly ear_appraisal_policy_ids: readonly string[]
  /** Our extension: what the claims rest on. */
  readonly assay: {
    readonly assurance: string | null
    readonly rule: string
    readonly accepted: boolean
    readonly evidence_sha256: string
    readonly attestation: string
  }
}

/** Claims of an Attestation Result as a JWT (draft-ietf-rats-ear-03 §3, RFC 9711). */
export interface EarClaims {
  readonly eat_profile: typeof earProfile
  readonly iss: string
  /** SPIFFE ID of the host; absent for Evidence that no host came of. */
  readonly sub?: string
  readonly iat: number
  readonly exp: number
  /** The challenge that the Evidence answered, base64url. */
  readonly eat_nonce: string
  readonly ear_verifier_id: typeof earVerifier
  /** The one attester, labelled by the format of its Evidence. */
  readonly submods: Readonly<Partial<Record<EvidenceFormatId, EarAppraisal>>>
}

/**
 * A verdict as EAR claims. The status is the verdict's, which is never better than the worst of the vector.
 *
 * @see draft-ietf-rats-ear-03 §3
 */
export function earClaims(
  verdict: Verdict,
  context: {
    readonly issuer: string
    readonly format: EvidenceFormatId
    readonly subject: string | undefined
    /** base64url */
    readonly nonce: string
    readonly attestationId: string
  },
): EarClaims {
  const { subject } = context
  return {
    eat_profile: earProfile,
    iss: context.issuer,
    ...(subject === undefined ? {} : { sub: subject }),
    iat: Math.floor(Date.parse(verdict.issuedAt) / 1000),
    exp: Math.floor(Date.parse(verdict.expiresAt) / 1000),
    eat_nonce: context.nonce,
    ear_verifier_id: earVerifier,
    submods: {
      [context.format]: {
        ear_status: verdict.status,
        ear_trustworthiness_vector: verdict.trustworthiness,
        ear_appraisal_policy_ids: [verdict.policy.id],
        assay: {
          assurance: verdict.assurance,
          rule: verdict.rule,
          accepted: verdict.accepted,
          evidence_sha256: verdict.evidenceSha256,
          attestation: context.attestationId,
        },
      },
    },
  }
}
