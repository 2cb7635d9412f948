import { parseCertificate, type Certificate } from '../x509/certificate.ts'
import { parseCertificateForm, type CertificateForm } from './certificate-form.ts'
import { LintError, type CertificateLint, type CertificateTerms, type FormLint } from './lint.ts'
import { assuranceLevel } from './lints/assurance-level.ts'
import { attestationResult } from './lints/attestation-result.ts'
import { attestationValidity } from './lints/attestation-validity.ts'
import { authorityKeyIdentifier } from './lints/authority-key-identifier.ts'
import { authorityKey } from './lints/authority-key.ts'
import { authorityUsage } from './lints/authority-usage.ts'
import { basicConstraints } from './lints/basic-constraints.ts'
import { duplicateExtension } from './lints/duplicate-extension.ts'
import { emptySubject } from './lints/empty-subject.ts'
import { extendedKeyUsage } from './lints/extended-key-usage.ts'
import { extensionSet } from './lints/extension-set.ts'
import { issuerName } from './lints/issuer-name.ts'
import { issuerValidity } from './lints/issuer-validity.ts'
import { keyUsage } from './lints/key-usage.ts'
import { lifetime } from './lints/lifetime.ts'
import { nameConstraints } from './lints/name-constraints.ts'
import { pathLength } from './lints/path-length.ts'
import { serialEntropy } from './lints/serial-entropy.ts'
import { serialNumber } from './lints/serial-number.ts'
import { signatureAlgorithm } from './lints/signature-algorithm.ts'
import { strictForm } from './lints/strict-form.ts'
import { subjectKeyIdentifier } from './lints/subject-key-identifier.ts'
import { subjectKey } from './lints/subject-key.ts'
import { subjectName } from './lints/subject-name.ts'
import { svidAuthority } from './lints/svid-authority.ts'
import { svidKeyUsage } from './lints/svid-key-usage.ts'
import { svidPath } from './lints/svid-path.ts'
import { svidPurposes } from './lints/svid-purposes.ts'
import { svidUri } from './lints/svid-uri.ts'
import { validityEncoding } from './lints/validity-encoding.ts'
import { version } from './lints/version.ts'

/** Rules over the bare form; they run first, since a strict reader refuses most of this without saying which it was. */
export const formLints: readonly FormLint[] = [
  version,
  serialNumber,
  serialEntropy,
  signatureAlgorithm,
  issuerName,
  validityEncoding,
  duplicateExtension,
  extensionSet,
  subjectKey,
]

/** Rules over what the certificate says. */
export const certificateLints: readonly CertificateLint[] = [
  strictForm,
  subjectName,
  emptySubject,
  basicConstraints,
  pathLength,
  nameConstraints,
  keyUsage,
  extendedKeyUsage,
  subjectKeyIdentifier,
  authorityKeyIdentifier,
  lifetime,
  issuerValidity,
  svidUri,
  svidPath,
  svidAuthority,
  svidKeyUsage,
  svidPurposes,
  authorityUsage,
  authorityKey,
  attestationValidity,
  assuranceLevel,
  attestationResult,
]

/**
 * Holds a certificate (DER; the lint copy, which nothing trusts) against every rule and the terms it was made under.
 *
 * @throws LintError with the code of the first rule that it breaks
 */
export function lintCertificate(certificate: Uint8Array, terms: CertificateTerms): void {
  const form = readForm(certificate)
  for (const lint of formLints) refuse(lint, lint.find(form, terms))
  const parsed = readStrictly(certificate)
  for (const lint of certificateLints) refuse(lint, lint.find(parsed, terms))
}

function refuse(lint: FormLint | CertificateLint, found: string | undefined): void {
  if (found !== undefined) throw new LintError(lint, found)
}

/** The bytes are our own: whatever a reader has against them is a finding. */
function readForm(certificate: Uint8Array): CertificateForm {
  try {
    return parseCertificateForm(certificate)
  } catch (cause) {
    throw new LintError(strictForm, String(cause), cause)
  }
}

function readStrictly(certificate: Uint8Array): Certificate {
  try {
    return parseCertificate(certificate)
  } catch (cause) {
    throw new LintError(strictForm, String(cause), cause)
  }
}
