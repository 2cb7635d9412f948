import { urisOf } from '../spiffe/svid-leaf.ts'
import { keyUsages, parseCertificate, type Certificate } from '../x509/certificate.ts'
import { authorityViolation } from '../x509/path-checks.ts'
import { CeremonyError, type CeremonyErrorCode } from './error.ts'
import { authorityKeyOf, type AuthorityKey } from './authority-key.ts'

/** An authority by its own certificate, good for what the ceremony wants of it. */
export interface CeremonyAuthority extends AuthorityKey {
  readonly certificate: Certificate
}

/** What an authority is wanted for. */
interface Wanted {
  /** Where it is said; a list of revoked certificates is of no trust domain. */
  readonly trustDomain?: string | undefined
  /** Unix milliseconds. */
  readonly now: number
  readonly usage: 'keyCertSign' | 'cRLSign'
}

/**
 * Reads the certificate (DER) of the authority that is to sign: a CA in force with the right to, on a key that this
 * service verifies with, and of no other trust domain.
 *
 * @throws X509Error `certificate-malformed`; CeremonyError `ceremony-issuer`, `ceremony-key`
 * @see RFC 5280 §4.2.1.3, §4.2.1.9
 */
export function verifyIssuer(bytes: Uint8Array, wanted: Wanted): CeremonyAuthority {
  return verifyAuthority(bytes, wanted, 'ceremony-issuer')
}

/**
 * Reads the certificate (DER) of an authority that is to be certified by another one as well.
 *
 * @throws X509Error `certificate-malformed`; CeremonyError `ceremony-certified`, `ceremony-key`
 * @see RFC 5280 §3.2
 */
export function verifyCertified(
  bytes: Uint8Array,
  wanted: Omit<Wanted, 'usage'>,
): CeremonyAuthority {
  return verifyAuthority(bytes, { ...wanted, usage: 'keyCertSign' }, 'ceremony-certified')
}

function verifyAuthority(
  bytes: Uint8Array,
  { trustDomain, now, usage }: Wanted,
  code: CeremonyErrorCode,
): CeremonyAuthority {
  const certificate = parseCertificate(bytes)
  const violation = authorityViolation(certificate, now)
  if (violation !== undefined) throw new CeremonyError(code, { found: violation.found })
  const { publicKey, extensions } = certificate.fields
  if (((extensions.keyUsage ?? 0) & keyUsages[usage]) === 0)
    throw new CeremonyError(code, { expected: usage, found: 'no right to' })
  if (extensions.subjectKeyIdentifier === undefined)
    throw new CeremonyError(code, { found: 'no subject key identifier' })
  requireTrustDomain(certificate, trustDomain, code)
  return { certificate, ...authorityKeyOf(publicKey) }
}

/** An authority above several trust domains names none; one that names a trust domain is of that alone. */
function requireTrustDomain(
  certificate: Certificate,
  trustDomain: string | undefined,
  code: CeremonyErrorCode,
): void {
  const uris = urisOf(certificate)
  const expected = `spiffe://${trustDomain}`
  if (trustDomain === undefined || uris.every(uri => uri === expected)) return
  throw new CeremonyError(code, { expected, found: uris.join(' ').slice(0, 200) })
}
