import type { Certificate } from './certificate.ts'
import type { CertificateList } from './crl.ts'
import { isSameName } from './name.ts'
import type { OcspResponse, SingleResponse } from './ocsp.ts'
import { isIssuerNamed } from './ocsp-certificate-id.ts'
import { anothers, isAnsweredFor, listFlaw } from './revocation-signer.ts'

/** What issuers said of their certificates, as it was loaded from wherever; untrusted until verified here. */
export interface RevocationSources {
  readonly lists: readonly CertificateList[]
  readonly responses: readonly OcspResponse[]
}

/** How old an issuer's word may be. */
export interface Freshness {
  /** Unix milliseconds. */
  readonly time: number
  /** Of a list or response that does not say when the next one comes, or says so far ahead. */
  readonly maxAgeSeconds: number
}

/** What is known of one certificate. `unavailable` says why nobody's word counts. */
export interface RevocationStatus {
  readonly outcome: 'good' | 'revoked' | 'unavailable'
  readonly source: 'crl' | 'ocsp' | 'none'
  readonly detail: string
}

/** RFC 5280 §5.3.1 CRLReason. */
const reasons: readonly string[] = [
  'unspecified',
  'keyCompromise',
  'cACompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'certificateHold',
  'unused',
  'removeFromCRL',
  'privilegeWithdrawn',
  'aACompromise',
]

/**
 * Whether a certificate was revoked by its issuer. One verified revocation outweighs every other word, and holds even
 * where it is out of date; a good word counts only while it is fresh. A hold is a revocation.
 *
 * @param issuer whose key signed the certificate, verified by the caller's path
 * @see RFC 5280 §6.3.3, RFC 6960 §3.2; verification E9
 */
export function revocationStatusOf(
  certificate: Certificate,
  issuer: Certificate,
  sources: RevocationSources,
  freshness: Freshness,
): RevocationStatus {
  const statuses = [
    ...sources.lists.map(list => statusByList(certificate, issuer, list, freshness)),
    ...sources.responses.flatMap(response =>
      statusesByResponse(certificate, issuer, response, freshness),
    ),
  ]
  return (
    statuses.find(({ outcome }) => outcome === 'revoked') ??
    statuses.find(({ outcome }) => outcome === 'good') ??
    statuses.find(({ detail }) => detail !== anothers) ??
    unavailable('none', 'no list or response of the issuer')
  )
}

function unavailable(source: RevocationStatus['source'], detail: string): RevocationStatus {
  return { outcome: 'unavailable', source, detail }
}

function statusByList(
  certificate: Certificate,
  issuer: Certificate,
  list: CertificateList,
  freshness: Freshness,
): RevocationStatus {
  if (!isSameName(list.issuer, certificate.fields.issuer)) return unavailable('crl', anothers)
  const isAuthority = certificate.fields.extensions.basicConstraints?.isAuthority === true
  if (list.scope !== 'all' && (list.scope === 'authorities') !== isAuthority) {
    return unavailable('crl', 'a list of other certificates')
  }
  if (!isAtPoint(list, certificate)) return unavailable('crl', 'a list of another part')
  const flaw = listFlaw(list, issuer)
  if (flaw !== undefined) return unavailable('crl', flaw)
  const serial = Buffer.from(certificate.fields.serialNumber).toString('hex')
  const reason = list.revoked.get(serial)
  if (reason !== undefined) return revoked('crl', reason)
  const stale = staleness(list, freshness)
  return stale === undefined
    ? { outcome: 'good', source: 'crl', detail: 'not listed' }
    : unavailable('crl', stale)
}

/** RFC 5280 §6.3.3 (b)(2)(i): a list of one part of an issuer's certificates says nothing of the others. */
function isAtPoint({ distributionPoints }: CertificateList, { fields }: Certificate): boolean {
  const own = fields.extensions.crlDistributionPoints ?? []
  return distributionPoints?.some(point => own.includes(point)) ?? true
}

function revoked(source: 'crl' | 'ocsp', reason: number): RevocationStatus {
  return { outcome: 'revoked', source, detail: reasons[reason] ?? 'unspecified' }
}

/** Why a word does not count at this time; undefined where it is fresh. A word counts from its first to its last moment. */
export function staleness(
  {
    thisUpdate,
    nextUpdate,
  }: { readonly thisUpdate: number; readonly nextUpdate: number | undefined },
  { time, maxAgeSeconds }: Freshness,
): string | undefined {
  if (thisUpdate > time) return 'a word from the future'
  const limit = thisUpdate + maxAgeSeconds * 1000
  return time <= Math.min(nextUpdate ?? limit, limit) ? undefined : 'a word that is out of date'
}

function statusesByResponse(
  certificate: Certificate,
  issuer: Certificate,
  response: OcspResponse,
  freshness: Freshness,
): RevocationStatus[] {
  const about = response.responses.filter(single => isAbout(single, certificate, issuer))
  if (about.length === 0) return [unavailable('ocsp', anothers)]
  if (!isAnsweredFor(response, issuer, freshness.time)) {
    return [unavailable('ocsp', 'a response that nobody signed who may answer')]
  }
  return about.map(single => {
    if (single.status === 'revoked') return revoked('ocsp', single.reason)
    if (single.status === 'unknown') return unavailable('ocsp', 'not known to the responder')
    const stale = staleness(single, freshness)
    if (stale !== undefined) return unavailable('ocsp', stale)
    return { outcome: 'good', source: 'ocsp', detail: 'not revoked' }
  })
}

function isAbout(single: SingleResponse, { fields }: Certificate, issuer: Certificate): boolean {
  const { encoded: name } = fields.issuer
  return (
    Buffer.compare(single.serialNumber, fields.serialNumber) === 0 &&
    isIssuerNamed(single, { name, keyBits: issuer.fields.keyBits })
  )
}
