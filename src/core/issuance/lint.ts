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
  }
  /** DER SubjectPublicKeyInfo: the key that was proven. */
  readonly spki: Uint8Array
  /** The random octets behind the serial number; undefined for one that people chose. */
  readonly serialRandom: Uint8Array | undefined
  /** Exactly these, in this order. */
  readonly extensions: readonly { readonly id: string; readonly isCritical: boolean }[]
  /** Bit n of KeyUsage as 2ⁿ. */
  readonly keyUsage: number
  /** Dotted decimal. */
  readonly extendedKeyUsage: readonly string[]
  /** Undefined for a certificate that issues nothing. */
  readonly authority: { readonly pathLength: number | undefined } | undefined
  readonly maxLifetimeSeconds: number
  /** Whether X509-SVID holds for it, and the one URI that it must carry. */
  readonly svid: string | undefined
  /** The Attestation Result that it rests on. */
  readonly attestation: (AttestationReference & { readonly expiresAt: number }) | undefined
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
    const hint = 'Nothing was signed. Correct the profile in ca/profiles or report this as a fault.'
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
