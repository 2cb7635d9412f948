import { encodeBase64url } from '../bytes/base64url.ts'

/** A certificate as those speak of it who have it: by the key of its issuer and its serial number. */
export interface CertificateId {
  /** keyIdentifier of the authorityKeyIdentifier extension. */
  readonly keyIdentifier: Uint8Array
  /** Contents octets of the serialNumber INTEGER. */
  readonly serial: Uint8Array
}

/** No keyIdentifier and no serial number that this service writes is longer (RFC 5280 §4.1.2.2). */
const longest = 32

/** base64url of both with a dot between. RFC 9773 §4.1. */
export function encodeCertificateId({ keyIdentifier, serial }: CertificateId): string {
  return `${encodeBase64url(keyIdentifier)}.${encodeBase64url(serial)}`
}

/** Undefined for what is no such identifier. RFC 9773 §4.1. */
export function parseCertificateId(text: string): CertificateId | undefined {
  const [keyIdentifier, serial, ...rest] = text.split('.').map(decodePart)
  if (keyIdentifier === undefined || serial === undefined || rest.length > 0) return undefined
  return { keyIdentifier, serial }
}

/** One value has one text, as `decodeBase64url` demands it. */
function decodePart(text: string): Uint8Array | undefined {
  if (text === '' || text.length > (longest * 4) / 3 + 1) return undefined
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
