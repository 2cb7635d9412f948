import * as der from '../../src/core/der/writer.ts'
import { parseCertificate } from '../../src/core/x509/certificate.ts'
import type { EmulatedAuthority } from '../../swtpm/emulated/certificate.ts'
import { crlNumber, entry, list, serialOf } from '../core/x509/revocation-fixtures.ts'

/** What an authority publishes. */
export interface PublishedList {
  /** Unix milliseconds. */
  readonly now: number
  readonly number?: number
  /** Of how long ago it is, and until when it holds, from `now` on. */
  readonly ageMs?: number
  readonly holdsMs?: number
  /** DER certificates that it revokes. */
  readonly revoked?: readonly Uint8Array[]
  /** Whose key signs it, where it is not the authority's. */
  readonly signer?: EmulatedAuthority
}

const hour = 3_600_000

/** A certificate revocation list of an emulated authority, DER. */
export function publishList(authority: EmulatedAuthority, published: PublishedList): Uint8Array {
  const { now, number = 1, ageMs = hour, holdsMs = 24 * hour, revoked = [] } = published
  const value = der.unsignedInteger(Uint8Array.of(number >> 8, number & 0xff))
  return list(
    parts => ({
      ...parts,
      issuer: authority.name,
      thisUpdate: now - ageMs,
      nextUpdate: now + holdsMs,
      entries: revoked.map(certificate => entry(serialOf(parseCertificate(certificate)), 1)),
      extensions: [{ ...crlNumber, value }],
    }),
    published.signer ?? authority,
  )
}
