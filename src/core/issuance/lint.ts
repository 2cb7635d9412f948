import { CodedError } from '../coded-error.ts'
import type { Certificate } from '../x509/certificate.ts'
import type { AttestationReference } from './attestation-extension.ts'
import type { CertificateForm } from './certificate-form.ts'

/** What the maker of a certificate promised of it before it was assembled: lints hold the certificate against it. */
export interface CertificateTerms {
  /** DER AlgorithmIdentifier. */
  readonly signatureAlgorithm: Uint8Array
  readonly issuer: {
    /** DER Name. */
    readonly name: Uint8Array
    readonly keyIdentifier: Uint8Array
    /** Unix milliseconds. */
    readonly notBefore: number
    readonly notAfter: number
    /** Authorities that may stand below it; undefined where it does not say, or signs itself. */
    readonly pathLength?: number | undefined
  }
  /** DER SubjectPublicKeyInfo: the key that was proven. */
  readonly spki: Uint8Array
  /** The one that another certificate of this key has; undefined for a digest of the key. */
  readonly subjectKeyIdentifier?: Uint8Array | undefined
  /** The random octets behind the serial number; undefined for one that people chose. */
  readonly serialRandom: Uint8Array | undefined
  /** Exactly these, in this order. */
  readonly extensions: readonly { readonly id: string; readonly isCritical: boolean }[]
  /** Bit n of KeyUsage as 2ⁿ. */
  readonly keyUsage: number
  /** Dotted decimal. */
  readonly extendedKeyUsage: readonly string[]
  /** Undefined for a certificate that issues nothing. */
  readonly authority: AuthorityTerms | undefined
  readonly maxLifetimeSeconds: number
  /** Whether X509-SVID holds for it, and the one URI that it must carry. */
  readonly svid: string | undefined
  /** The Attestation Result that it rests on. */
  readonly attestation: (AttestationReference & { readonly expiresAt: number }) | undefined
}

/** What was promised of an authority besides. */
export interface AuthorityTerms {
  /** Authorities that may stand in between it and an end entity; undefined for any number. */
  readonly pathLength: number | undefined
  readonly maxPathLength: number
  /** Names of the curves that its key may be on. */
  readonly curves: readonly string[]
  /** DER NameConstraints. */
  readonly nameConstraints?: Uint8Array | undefined
}

/** One rule for a certificate. */
interface LintRow {
  readonly code: `lint-${string}`
  /** One sentence: what is wrong. */
  readonly summary: string
  /** The rule: specification with section and revision. */
  readonly source: string
}

/** A rule over the certificate's bare form, for what a strict reader would refuse without saying which rule it was. */
export interface FormLint extends LintRow {
  /** What was found against the rule; undefined where it holds. */
  readonly find: (form: CertificateForm, terms: CertificateTerms) => string | undefined
}

/** A rule over what a certificate says. */
export interface CertificateLint extends LintRow {
  /** What was found against the rule; undefined where it holds. */
  readonly find: (certificate: Certificate, terms: CertificateTerms) => string | undefined
}

/** A certificate that must not be signed as it is; the service's fault, never the caller's. */
export class LintError extends CodedError<`lint-${string}`> {
  constructor({ code, summary, source }: LintRow, found: string, cause?: unknown) {
    const hint =
      'Nothing was signed. Correct the ceremony, or the profile in ca/profiles; of a service, report this as a fault.'
    super(code, { summary, hint, source }, { found, cause })
  }
}

/** Whether two byte strings are the same. */
export function isSameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0
}

/** Bytes as a fact of a finding. */
export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, 64)).toString('hex')
}
