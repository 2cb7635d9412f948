import { keyUsages, type Certificate } from '../x509/certificate.ts'
import { isWithinValidity, validityOf } from '../x509/path-checks.ts'
import { weaknessOf } from '../x509/public-key.ts'
import { hasRocaFingerprint } from '../x509/roca.ts'
import type { EkCheckCode } from './check-rows.ts'
import { isInProduction } from './google-instance.ts'
import type { CertificateTolerance } from './quirks.ts'
import { tpmIdentityOf, tpmSpecificationOf } from './tpm-identity.ts'

/** What decides whether a certificate is one of an endorsement key. */
export interface ProfileScope {
  /** Vendor label of the trust anchor. */
  readonly vendor: string
  /** Unix milliseconds. */
  readonly time: number
  /** Whether a certificate whose time is over is let pass. */
  readonly isExpiryTolerated: boolean
  /** Asks for a quirk; true where it is tolerated, and then it stands in the verdict. */
  readonly tolerates: (tolerance: CertificateTolerance) => boolean
}

/** One rule of the profile: what it found where it is broken. */
export interface ProfileCheck {
  readonly code: EkCheckCode
  readonly violation: (certificate: Certificate, scope: ProfileScope) => string | undefined
}

const endorsementKeyUsage = '2.23.133.8.1'

/** The rules that an endorsement key certificate is held to, in order. TCG EK Credential Profile v2.5 §3. */
export const profileChecks: readonly ProfileCheck[] = [
  { code: 'ek-certificate-validity', violation: outsideValidity },
  { code: 'ek-certificate-authority', violation: asAuthority },
  { code: 'ek-extended-key-usage', violation: withoutPurpose },
  { code: 'ek-key', violation: unsupportedKey },
  { code: 'ek-key-usage', violation: otherUsage },
  { code: 'ek-subject-name', violation: withoutIdentity },
  { code: 'ek-vendor', violation: otherVendor },
  { code: 'ek-specification', violation: otherFamily },
  { code: 'ek-production', violation: notInProduction },
  { code: 'ek-key-weak', violation: ({ fields }) => weaknessOf(fields.publicKey) },
  { code: 'ek-key-roca', violation: rocaKey },
]

function outsideValidity(certificate: Certificate, scope: ProfileScope): string | undefined {
  if (isWithinValidity(certificate, scope.time)) return undefined
  const isExpired = scope.time >= certificate.fields.notBefore
  return isExpired && scope.isExpiryTolerated ? undefined : validityOf(certificate)
}

function asAuthority({ fields }: Certificate): string | undefined {
  return fields.extensions.basicConstraints?.isAuthority === true ? 'cA true' : undefined
}

function withoutPurpose({ fields }: Certificate): string | undefined {
  const usages = fields.extensions.extendedKeyUsage
  if (usages?.includes(endorsementKeyUsage) === true) return undefined
  return usages === undefined ? 'no extended key usage' : usages.join(', ')
}

function unsupportedKey(certificate: Certificate, scope: ProfileScope): string | undefined {
  const { publicKey } = certificate.fields
  if (publicKey.kind === 'unsupported') return publicKey.reason
  if (certificate.key === undefined) return 'a point off its curve, or no modulus'
  if (publicKey.kind !== 'rsa' || publicKey.algorithm === 'rsaEncryption') return undefined
  return scope.tolerates('oaep-key') ? undefined : 'an RSA key named rsaesOaep'
}

/** Decryption or key agreement as the key can, and nothing that signs (verification E3). */
function otherUsage(certificate: Certificate, scope: ProfileScope): string | undefined {
  const { extensions, publicKey } = certificate.fields
  const { keyUsage } = extensions
  if (keyUsage === undefined)
    return scope.tolerates('key-usage-absent') ? undefined : 'no key usage'
  const signing =
    keyUsages.digitalSignature |
    keyUsages.contentCommitment |
    keyUsages.keyCertSign |
    keyUsages.cRLSign
  if ((keyUsage & signing) !== 0) return 'the right to sign'
  const needed = publicKey.kind === 'rsa' ? keyUsages.keyEncipherment : keyUsages.keyAgreement
  return (keyUsage & needed) === 0 ? 'a usage that does not go with the key' : undefined
}

function withoutIdentity({ fields }: Certificate): string | undefined {
  return tpmIdentityOf(fields.extensions) === undefined ? 'another alternative name' : undefined
}

function otherVendor({ fields }: Certificate, scope: ProfileScope): string | undefined {
  const vendor = tpmIdentityOf(fields.extensions)?.vendor
  return vendor === scope.vendor.toUpperCase().replace(/^ID:/, 'id:') ? undefined : `${vendor}`
}

function otherFamily({ fields }: Certificate): string | undefined {
  const specification = tpmSpecificationOf(fields.extensions)
  if (specification === undefined) return 'no TPM specification'
  return specification.family === '2.0' ? undefined : `family ${specification.family}`
}

function notInProduction({ fields }: Certificate): string | undefined {
  return isInProduction(fields.rawExtensions) === false ? 'not in production' : undefined
}

function rocaKey({ fields }: Certificate): string | undefined {
  const { publicKey } = fields
  if (publicKey.kind !== 'rsa' || !hasRocaFingerprint(publicKey.modulus)) return undefined
  return 'the fingerprint of the generator'
}
