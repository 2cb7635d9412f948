import type { CheckRecorder } from '../verifier/check.ts'
import type { TrustAnchor } from '../verifier/trust-anchor.ts'
import { parseCertificate, type Certificate } from '../x509/certificate.ts'
import { X509Error } from '../x509/error.ts'
import { PathError } from '../x509/path-error.ts'
import { pathRows, type PathCode } from '../x509/path-rows.ts'
import { verifyPath, type CertificationPath } from '../x509/path.ts'
import {
  revocationStatusOf,
  type RevocationSources,
  type RevocationStatus,
} from '../x509/revocation.ts'

/** Who is trusted to certify attestation keys, and when. */
export interface AttestationPathScope {
  /** Pinned by the operator; what a statement brings along is never one of them. */
  readonly anchors: readonly TrustAnchor[]
  readonly now: Date
  readonly revocation?: {
    readonly sources: RevocationSources
    /** Whether somebody must have said that no certificate is revoked. */
    readonly isRequired: boolean
    readonly maxAgeSeconds: number
  }
}

/** A path to a pinned anchor. */
export interface AttestationPath {
  readonly anchor: TrustAnchor
  /** One a certificate of the path, that of the attestation key first, the anchor left out. */
  readonly revocation: readonly RevocationStatus[]
}

/**
 * Verifies that the certificate of an attestation key leads to a pinned anchor, and that nobody revoked it.
 *
 * @param hints the other certificates of the statement, untrusted
 * @throws EvidenceError `path-…`, `aik-revocation`, `aik-revocation-unavailable`
 * @see RFC 5280 §6.1, §6.3; verification section 16
 */
export function verifyAttestationPath(
  checks: CheckRecorder,
  leaf: Certificate,
  hints: readonly Uint8Array[],
  scope: AttestationPathScope,
): AttestationPath {
  const path = buildPath(checks, leaf, hints, scope)
  for (const code of Object.keys(pathRows) as PathCode[]) checks.pass(code, leaf.fields.encoded)
  const { fingerprint } = path.anchor
  const anchor = scope.anchors.find(candidate => candidate.fingerprint === fingerprint)
  /* c8 ignore next -- a path ends in one of the anchors that it was given */
  if (anchor === undefined) throw new TypeError('a path ends in one of its anchors')
  return { anchor, revocation: verifyRevocation(checks, path, scope) }
}

function buildPath(
  checks: CheckRecorder,
  leaf: Certificate,
  hints: readonly Uint8Array[],
  { anchors, now }: AttestationPathScope,
): CertificationPath {
  try {
    return verifyPath({
      leaf,
      intermediates: hints.flatMap(readHint),
      anchors: anchors.map(({ certificate }) => parseCertificate(certificate)),
      time: now.getTime(),
    })
  } catch (cause) {
    /* c8 ignore next -- path validation throws nothing else */
    if (!(cause instanceof PathError)) throw cause
    const bytes = leaf.fields.encoded
    return checks.refuse(cause.code, { found: String(cause.found), cause, bytes })
  }
}

/** A hint that cannot be read is none. */
function readHint(bytes: Uint8Array): Certificate[] {
  try {
    return [parseCertificate(bytes)]
  } catch (cause) {
    /* c8 ignore next -- the parser throws nothing else */
    if (!(cause instanceof X509Error)) throw cause
    return []
  }
}

function verifyRevocation(
  checks: CheckRecorder,
  { certificates }: CertificationPath,
  { revocation, now }: AttestationPathScope,
): RevocationStatus[] {
  const { sources = { lists: [], responses: [] }, isRequired = false } = revocation ?? {}
  const freshness = { time: now.getTime(), maxAgeSeconds: revocation?.maxAgeSeconds ?? 0 }
  const statuses = certificates.slice(1).map((issuer, index) => {
    /* c8 ignore next -- the path is one longer than what is cut from it */
    const certificate = certificates[index] ?? issuer
    return revocationStatusOf(certificate, issuer, sources, freshness)
  })
  const found = statuses.map(({ outcome, detail }) => `${outcome} (${detail})`).join('; ')
  if (statuses.some(({ outcome }) => outcome === 'revoked'))
    checks.refuse('aik-revocation', { found })
  checks.pass('aik-revocation', undefined, found)
  const isMissing = statuses.some(({ outcome }) => outcome === 'unavailable')
  if (isMissing && isRequired) checks.refuse('aik-revocation-unavailable', { found })
  checks.pass('aik-revocation-unavailable', undefined, isMissing ? 'not asked for' : 'answered')
  return statuses
}
