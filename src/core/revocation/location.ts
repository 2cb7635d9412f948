import type { StatusUrls } from '../issuance/extension.ts'

/** Where the status of certificates below one authority is told. */
export interface StatusLocation {
  /** URL without a trailing slash. */
  readonly base: string
  /** Lower-case hex SHA-256 of the issuing certificate. */
  readonly authorityId: string
}

/** Lists of each authority. Fixed for good: a certificate names its list, and keeps that name. */
export const shardCount = 16

/** The list of its authority that speaks of a certificate: a part of its serial number, which is random. */
export function shardOf(serial: string): number {
  return Number.parseInt(serial.slice(-2), 16) % shardCount
}

/** The URL of one list: what the certificate names, and what the list says of itself (RFC 5280 §4.2.1.13, §5.2.5). */
export function crlUrl({ base, authorityId }: StatusLocation, shard: number): string {
  return `${base}/crl/${authorityId}/${shard}`
}

/** The URL of the responder for certificates of one authority (RFC 5280 §4.2.2.1, RFC 6960 §3.1). */
export function ocspUrl({ base, authorityId }: StatusLocation): string {
  return `${base}/ocsp/${authorityId}`
}

/** Where the status of one certificate is told: what it names itself. */
export function statusUrls(location: StatusLocation, serial: string): StatusUrls {
  return {
    crl: crlUrl(location, shardOf(serial)),
    ocsp: ocspUrl(location),
    issuer: issuerUrl(location),
  }
}

/** The URL of the issuing certificate (RFC 5280 §4.2.2.1). */
export function issuerUrl({ base, authorityId }: StatusLocation): string {
  return `${base}/authorities/${authorityId}`
}
