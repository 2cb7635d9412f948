import { DerError } from '../der/error.ts'
import { DerReader } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { tpmIdentityOf } from '../ek/tpm-identity.ts'
import type { CheckRecorder } from '../verifier/check.ts'
import type { CheckCode } from '../verifier/check-table.ts'
import { keyUsages, type Certificate } from '../x509/certificate.ts'
import { isEmptyName } from '../x509/name.ts'
import { keyViolation } from '../x509/path-checks.ts'
import { deviceIdentifiersOf, isSameDevice, type DeviceIdentifier } from './device-identifier.ts'

/** What the certificate of an attestation key is held to beside its profile. */
export interface AttestationCertificateScope {
  /** The device that was asked for. */
  readonly identifier: DeviceIdentifier | undefined
  /** The model that the credential says it is of, 16 bytes. */
  readonly aaguid: Uint8Array | undefined
}

interface ProfileRule {
  readonly code: CheckCode
  readonly violation: (
    certificate: Certificate,
    scope: AttestationCertificateScope,
  ) => string | undefined
}

const attestationKeyUsage = '2.23.133.8.3'
const modelExtension = '1.3.6.1.4.1.45724.1.1.4'

/** The rules in their order. Version 3 is a rule of the parser. */
const rules: readonly ProfileRule[] = [
  { code: 'aik-subject', violation: named },
  { code: 'aik-subject-name', violation: withoutIdentity },
  { code: 'aik-extended-key-usage', violation: withoutPurpose },
  { code: 'aik-authority', violation: asAuthority },
  { code: 'aik-key-usage', violation: withoutSigning },
  { code: 'aik-key-weak', violation: certificate => keyViolation(certificate) },
  { code: 'aik-identifier', violation: otherDevice },
  { code: 'aik-model', violation: otherModel },
]

/**
 * Holds the certificate of an attestation key against its profile.
 *
 * @throws EvidenceError `aik-…`
 * @see Web Authentication Level 2 §8.3.1; verification section 16
 */
export function verifyAttestationProfile(
  checks: CheckRecorder,
  certificate: Certificate,
  scope: AttestationCertificateScope,
): void {
  const bytes = certificate.fields.encoded
  for (const { code, violation } of rules) {
    const found = readable(() => violation(certificate, scope))
    checks.require(found === undefined, code, { bytes, ...(found === undefined ? {} : { found }) })
  }
}

/** A value inside an extension that cannot be read breaks the rule that is about it. */
function readable(violation: () => string | undefined): string | undefined {
  try {
    return violation()
  } catch (cause) {
    /* c8 ignore next -- a rule throws nothing else */
    if (!(cause instanceof DerError)) throw cause
    return cause.message
  }
}

function named({ fields }: Certificate): string | undefined {
  return isEmptyName(fields.subject) ? undefined : 'a subject'
}

function withoutIdentity(certificate: Certificate): string | undefined {
  if (!certificate.isCritical('2.5.29.17')) return 'no critical alternative name'
  const identity = tpmIdentityOf(certificate.fields.extensions)
  return identity === undefined ? 'another alternative name' : undefined
}

/** Wherever it stands among the usages, and not any usage in its place. */
function withoutPurpose({ fields }: Certificate): string | undefined {
  const usages = fields.extensions.extendedKeyUsage
  if (usages?.includes(attestationKeyUsage) === true) return undefined
  return usages === undefined ? 'no extended key usage' : usages.join(', ')
}

function asAuthority({ fields }: Certificate): string | undefined {
  const { basicConstraints } = fields.extensions
  if (basicConstraints === undefined) return 'no basic constraints'
  return basicConstraints.isAuthority ? 'cA true' : undefined
}

function withoutSigning({ fields }: Certificate): string | undefined {
  const { keyUsage } = fields.extensions
  const isSigning = keyUsage === undefined || (keyUsage & keyUsages.digitalSignature) !== 0
  return isSigning ? undefined : 'a usage without digitalSignature'
}

/** The identifier that was asked for must be the only one of its kind, and the same. */
function otherDevice(
  { fields }: Certificate,
  { identifier }: AttestationCertificateScope,
): string | undefined {
  if (identifier === undefined) return undefined
  /* c8 ignore next -- a rule before this one asks for alternative names */
  const all = deviceIdentifiersOf(fields.extensions.subjectAlternativeName ?? [])
  const claimed = all.filter(({ kind }) => kind === identifier.kind)
  const [only] = claimed
  if (only === undefined || claimed.length > 1) return `${claimed.length} identifiers of its kind`
  return isSameDevice(only, identifier) ? undefined : 'another device'
}

function otherModel(
  { fields }: Certificate,
  { aaguid }: AttestationCertificateScope,
): string | undefined {
  const extension = fields.rawExtensions.find(({ id }) => id === modelExtension)
  if (extension === undefined || aaguid === undefined) return undefined
  const reader = new DerReader(extension.value)
  const model = reader.contents(TAG.octetString)
  reader.finish()
  return Buffer.compare(model, aaguid) === 0 ? undefined : 'another model'
}
