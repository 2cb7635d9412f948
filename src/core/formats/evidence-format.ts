import type { CmwRecord } from '../cmw/cmw.ts'
import type { PublicJwk } from '../jose/jwk.ts'
import type { EndorsementPolicy } from '../verifier/endorsement-policy.ts'
import type { TrustAnchor } from '../verifier/trust-anchor.ts'
import type { RevocationSources } from '../x509/revocation.ts'

/** What a challenge asked and bound; computed by the service, none of it from the Evidence. */
export interface ChallengeFacts {
  /** The service's issuer URL. */
  readonly audience: string
  readonly enrollmentId: string
  readonly nonce: Uint8Array
  /** What only the challenged hardware could recover. */
  readonly secret: Uint8Array
  /** PCRs of the SHA-256 bank that were to be quoted. */
  readonly pcrs: readonly number[]
}

/** On whose word hardware is genuine: what operators admitted, and what issuers said since. */
export interface EndorsementBasis {
  readonly anchors: readonly TrustAnchor[]
  /** Certificates of issuers that the service holds, DER. */
  readonly intermediates: readonly Uint8Array[]
  readonly revocation: RevocationSources
  readonly endorsementPolicy: EndorsementPolicy
  /** Attestation keys of HSMs that operators registered; none where not said. */
  readonly hsmKeys?: readonly RegisteredHsmKey[]
}

/** An attestation key of an HSM, by an operator's word. */
export interface RegisteredHsmKey {
  readonly jwk: PublicJwk
  /** Whether a token, by its digest, is the one that the key was registered for: the service keeps no serial number. */
  readonly isToken: (sha256: string) => boolean
}

/** What Evidence of any format is held to. */
export interface FormatExpectations extends EndorsementBasis {
  readonly challenge: ChallengeFacts
  readonly now: Date
}

/** Labelled parts of Evidence, each with its media type. */
export type EvidenceRecords = ReadonlyMap<string, CmwRecord>

/**
 * One kind of hardware: how its Evidence is written, read and verified. A new kind is a folder beside `tpm2` and a row
 * of the table; nothing outside its folder reads its structures.
 *
 * @typeParam Evidence everything that the host sent, untrusted
 * @typeParam Verified sealed: what `verify` alone can make
 */
export interface EvidenceFormat<Evidence, Verified> {
  /** Its name in records, wrappers and Attestation Results; label of the record that holds its statement. */
  readonly id: string
  /** Media type of that record. */
  readonly mediaType: string
  /** One form for each value. */
  encode(evidence: Evidence): EvidenceRecords
  /**
   * The inverse of `encode`. What it gives is as untrusted as what it was given.
   *
   * @throws CodedError, or any Error of decoding; the envelope makes it `evidence-unreadable`
   */
  parse(records: EvidenceRecords): Evidence
  /**
   * Verifies from the bytes on, whether they came a moment ago or were kept for a year: endorsement, freshness, and
   * that the key to be certified lives in the hardware.
   *
   * @throws EvidenceError with the checks that ran
   */
  verify(evidence: Evidence, expected: FormatExpectations): Verified
}
