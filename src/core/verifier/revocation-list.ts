import { createHash } from 'node:crypto'
import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'
import { parseCertificate, type Certificate } from '../x509/certificate.ts'
import { parseCertificateList, type CertificateList } from '../x509/crl.ts'
import { X509Error } from '../x509/error.ts'
import { isSameName } from '../x509/name.ts'
import { parseOcspResponse, type OcspResponse } from '../x509/ocsp.ts'
import { labelOf } from '../x509/path-checks.ts'
import { spkiSha256Of } from '../x509/public-key.ts'
import { isAnsweredFor, listFlaw } from '../x509/revocation-signer.ts'

const rows = {
  'revocation-list-malformed': {
    summary: 'This is neither a certificate revocation list nor an OCSP response that can be read.',
    hint: 'Give one complete list, or one basic response, in DER.',
    source: 'RFC 5280 §5.1; RFC 6960 §4.2.1; verification E9',
  },
  'revocation-list-issuer': {
    summary: 'No certificate authority that is in force said this.',
    hint: 'Admit the certificate of its issuer first, with `assay anchor import` and `assay anchor approve`.',
    source: 'RFC 5280 §6.3.3 (f), (g); RFC 6960 §3.2; verification E9',
  },
  'revocation-list-future': {
    summary: 'This word on revocation begins in the future.',
    hint: 'Look at the clock of this service.',
    source: 'RFC 5280 §5.1.2.4',
  },
} as const satisfies Record<string, ErrorRow>

export type RevocationListErrorCode = keyof typeof rows

/** An issuer's word on revocation that is not kept. */
export class RevocationListError extends CodedError<RevocationListErrorCode> {
  constructor(code: RevocationListErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** An issuer's word as it was read; nothing of it is verified. */
export type IssuerWord =
  | { readonly kind: 'crl'; readonly list: CertificateList }
  | { readonly kind: 'ocsp'; readonly response: OcspResponse }

/** What is said of a word that its issuer signed. */
export interface VerifiedWord {
  readonly kind: IssuerWord['kind']
  /** Lower-case hex SHA-256 of its bytes. */
  readonly id: string
  /** What it is about: a later word on the same takes its place. */
  readonly slot: string
  /** The issuer's name, for people. */
  readonly issuer: string
  /** Lower-case hex SHA-256 of the issuer's certificate. */
  readonly issuerFingerprint: string
  /** Which certificates, for people. */
  readonly scope: string
  /** CRL number; 0 for an OCSP response, which has none. */
  readonly number: bigint
  /** Unix milliseconds. */
  readonly thisUpdate: number
  readonly nextUpdate: number | null
  /** Certificates that it says are revoked. */
  readonly revoked: number
}

/**
 * Reads an issuer's word: a complete list, or the answer of a responder.
 *
 * @param bytes DER
 * @throws RevocationListError `revocation-list-malformed`
 */
export function parseIssuerWord(bytes: Uint8Array): IssuerWord {
  try {
    return isResponse(bytes)
      ? { kind: 'ocsp', response: parseOcspResponse(bytes) }
      : { kind: 'crl', list: parseCertificateList(bytes) }
  } catch (cause) {
    /* c8 ignore next -- the parsers throw nothing else */
    if (!(cause instanceof X509Error)) throw cause
    /* c8 ignore next -- what cannot be read says where */
    const found = cause.found ?? cause.message
    throw new RevocationListError('revocation-list-malformed', { found, cause })
  }
}

/** An OCSPResponse begins with its status, an ENUMERATED, after a header of up to six octets; a list with a SEQUENCE. */
function isResponse(bytes: Uint8Array): boolean {
  const length = bytes[1] ?? 0
  return bytes[length < 0x80 ? 2 : 2 + (length & 0x7f)] === 0x0a
}

/**
 * Verifies that one of these authorities said it, before it is kept. Whether it is fresh is asked when it is used; a
 * revocation counts even where it is out of date.
 *
 * @param issuers DER certificates of authorities that the caller trusts, or that a verified path holds
 * @throws RevocationListError
 * @see RFC 5280 §6.3.3, RFC 6960 §3.2; verification E9
 */
export function verifyIssuerWord(
  bytes: Uint8Array,
  issuers: readonly Uint8Array[],
  now: Date,
): VerifiedWord {
  const word = parseIssuerWord(bytes)
  const authorities = issuers.map(parseCertificate)
  const id = createHash('sha256').update(bytes).digest('hex')
  const verified =
    word.kind === 'crl'
      ? verifyList(word.list, authorities)
      : verifyResponse(word.response, authorities, now)
  if (verified.thisUpdate > now.getTime()) throw new RevocationListError('revocation-list-future')
  return { kind: word.kind, id, ...verified }
}

type Facts = Omit<VerifiedWord, 'kind' | 'id'>

function verifyList(list: CertificateList, authorities: readonly Certificate[]): Facts {
  const named = authorities.filter(({ fields }) => isSameName(fields.subject, list.issuer))
  const issuer = named.find(authority => listFlaw(list, authority) === undefined)
  if (issuer === undefined) {
    const flaws = named.flatMap(authority => listFlaw(list, authority) ?? [])
    const [found = 'an unknown issuer'] = flaws
    throw new RevocationListError('revocation-list-issuer', { found })
  }
  const { scope, distributionPoints = [], number, thisUpdate, nextUpdate = null } = list
  return {
    ...factsOf('crl', issuer, [scope, ...distributionPoints.toSorted()]),
    scope: [scope, ...distributionPoints].join(' '),
    number,
    thisUpdate,
    nextUpdate,
    revoked: list.revoked.size,
  }
}

function verifyResponse(
  response: OcspResponse,
  authorities: readonly Certificate[],
  now: Date,
): Facts {
  const issuer = authorities.find(
    authority => isAbout(response, authority) && isAnsweredFor(response, authority, now.getTime()),
  )
  if (issuer === undefined) throw new RevocationListError('revocation-list-issuer')
  const { responses } = response
  const serials = responses.map(({ serialNumber }) => Buffer.from(serialNumber).toString('hex'))
  const ends = responses.flatMap(({ nextUpdate }) => nextUpdate ?? [])
  return {
    ...factsOf('ocsp', issuer, serials.toSorted()),
    scope: `serial ${serials.join(' ')}`,
    number: 0n,
    thisUpdate: Math.max(...responses.map(({ thisUpdate }) => thisUpdate)),
    nextUpdate: ends.length === 0 ? null : Math.min(...ends),
    revoked: responses.filter(({ status }) => status === 'revoked').length,
  }
}

/** Whether every answer in it, and there is one, is about certificates of this issuer. */
function isAbout({ responses }: OcspResponse, { fields }: Certificate): boolean {
  return (
    responses.length > 0 &&
    responses.every(({ hash, issuerKeyHash }) =>
      createHash(hash).update(fields.keyBits).digest().equals(issuerKeyHash),
    )
  )
}

/** A certificate of the same authority that was issued again has the same slots. */
function factsOf(
  kind: IssuerWord['kind'],
  issuer: Certificate,
  parts: readonly string[],
): Pick<Facts, 'slot' | 'issuer' | 'issuerFingerprint'> {
  const { publicKey, subject } = issuer.fields
  const about = JSON.stringify([spkiSha256Of(publicKey), subject.keys, parts])
  return {
    slot: `${kind} ${createHash('sha256').update(about).digest('hex')}`,
    issuer: labelOf(issuer).replaceAll('"', ''),
    issuerFingerprint: issuer.fingerprint,
  }
}
