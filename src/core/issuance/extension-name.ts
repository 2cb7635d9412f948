/**
 * The arc of this project's own extensions, made of the UUID 4dd0dc89-0dcd-482a-a50c-50b5bc39d465 in the way that
 * Microsoft gives for it: seven numbers below an arc set aside for that. `2.25` takes a UUID as one number of 128
 * bits, and Go's crypto/x509 refuses a certificate with an arc beyond 31.
 */
export const assayArc = '1.2.840.113556.1.8000.2554.19920.56457.3533.18474.42252.5289404.3789925'

/** Extensions that a profile may name, each with its OBJECT IDENTIFIER. RFC 5280 §4.2.1. */
export const extensionIds = {
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  subjectAlternativeName: '2.5.29.17',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  authorityInformationAccess: '1.3.6.1.5.5.7.1.1',
  ocspNoCheck: '1.3.6.1.5.5.7.48.1.5',
  assuranceLevel: `${assayArc}.1`,
  attestationResult: `${assayArc}.2`,
} as const

export type ExtensionName = keyof typeof extensionIds

/** One extension of a profile: which, and whether whoever does not know it must refuse the certificate. */
export interface ProfileExtension {
  readonly name: ExtensionName
  readonly critical: boolean
}
