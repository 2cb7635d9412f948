import * as der from '../der/writer.ts'

/** A certificate profile: what every certificate of this kind carries, as data. */
export interface CertificateProfile {
  readonly name: string
  /** Bits of KeyUsage from the left: digitalSignature is 0x80 (RFC 5280 §4.2.1.3). */
  readonly keyUsage: number
  readonly extendedKeyUsage: readonly string[]
}

const serverAuth = '1.3.6.1.5.5.7.3.1'
const clientAuth = '1.3.6.1.5.5.7.3.2'
const digitalSignature = 0x80

/** X509-SVID of a host (X509-SVID §4: digitalSignature, not a CA, both key purposes). */
export const hostProfile: CertificateProfile = {
  name: 'host',
  keyUsage: digitalSignature,
  extendedKeyUsage: [serverAuth, clientAuth],
}

/** X509-SVID of an agent. */
export const agentProfile: CertificateProfile = {
  name: 'agent',
  keyUsage: digitalSignature,
  extendedKeyUsage: [serverAuth, clientAuth],
}

/** The service's own TLS certificate. */
export const serviceProfile: CertificateProfile = {
  name: 'service',
  keyUsage: digitalSignature,
  extendedKeyUsage: [serverAuth, clientAuth],
}

/** One extension (RFC 5280 §4.1.2.9). */
export function extension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const octets = der.octetString(value)
  const id = der.objectIdentifier(oid)
  return critical ? der.sequence(id, der.booleanTrue, octets) : der.sequence(id, octets)
}

/** The extensions that are the same in every certificate of a profile, encoded once. */
export function fixedExtensions(profile: CertificateProfile): Uint8Array {
  return Buffer.concat([
    extension('2.5.29.19', true, der.sequence()),
    extension('2.5.29.15', true, der.namedBits(profile.keyUsage)),
    extension(
      '2.5.29.37',
      false,
      der.sequence(...profile.extendedKeyUsage.map(der.objectIdentifier)),
    ),
  ])
}
