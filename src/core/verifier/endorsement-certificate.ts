import { DerError } from '../der/error.ts'
import { profileChecks, type ProfileCheck, type ProfileScope } from '../ek/profile.ts'
import { QuirkUse } from '../ek/quirk-use.ts'
import { tpmIdentityOf, type TpmIdentity } from '../ek/tpm-identity.ts'
import { parseCertificate, type Certificate } from '../x509/certificate.ts'
import { parseKnownCertificate } from '../x509/known-certificate.ts'
import { X509Error } from '../x509/error.ts'
import { PathError } from '../x509/path-error.ts'
import { pathRows, type PathCode } from '../x509/path-rows.ts'
import { verifyPath, type CertificationPath, type PathInput } from '../x509/path.ts'
import type { RevocationSources, RevocationStatus } from '../x509/revocation.ts'
import type { CheckRecorder } from './check.ts'
import type { EndorsementPolicy } from './endorsement-policy.ts'
import { verifyRevocation } from './endorsement-revocation.ts'
import type { TrustAnchor } from './trust-anchor.ts'

/** The certificate, and what is known of it. */
export interface VerifiedCertificate {
  readonly certificate: Certificate
  readonly path: CertificationPath
  readonly anchor: TrustAnchor
  readonly identity: TpmIdentity
  /** Names of the quirks that were let pass. */
  readonly quirks: readonly string[]
  /** One a certificate of the path, the endorsement key's first, the anchor left out. */
  readonly revocation: readonly RevocationStatus[]
}

/** Certificates that a host may send along; no path has a use for more. */
const chainLimit = 16

/** What is verified, and against what. */
export interface CertificateEvidence {
  readonly certificate: Uint8Array
  readonly chain: readonly Uint8Array[]
  readonly intermediates?: readonly Uint8Array[]
  readonly anchors: readonly TrustAnchor[]
  readonly now: Date
  readonly revocation?: RevocationSources
  readonly policy?: EndorsementPolicy
}

/**
 * Verifies the certificate of an endorsement key: one strict DER certificate, a path to an admitted anchor, the
 * profile with no quirk but those known of the anchor's vendor, and no revocation.
 *
 * @throws EvidenceError `ek-certificate-malformed`, `path-…`, the codes of the profile, `ek-revocation…`
 */
export function verifyEndorsementCertificate(
  evidence: CertificateEvidence,
  recorder: CheckRecorder,
): VerifiedCertificate {
  const certificate = readCertificate(evidence.certificate, recorder)
  const quirks = new QuirkUse({
    model: tpmIdentityOf(certificate.fields.extensions)?.model,
    notBefore: certificate.fields.notBefore,
  })
  const { path, anchor } = verifyChain(evidence, certificate, quirks, recorder)
  verifyProfile(evidence, certificate, anchor, quirks, recorder)
  const { revocation: sources, policy = {}, now } = evidence
  const scope = { sources, policy, vendor: anchor.vendor, now }
  const revocation = verifyRevocation(path, scope, recorder)
  const identity = tpmIdentityOf(certificate.fields.extensions)
  if (identity === undefined) return recorder.refuse('ek-subject-name')
  return { certificate, path, anchor, identity, quirks: quirks.used, revocation }
}

function readCertificate(bytes: Uint8Array, recorder: CheckRecorder): Certificate {
  try {
    const certificate = parseCertificate(bytes)
    recorder.pass('ek-certificate-malformed', bytes)
    return certificate
  } catch (cause) {
    if (!(cause instanceof X509Error)) throw cause
    const found = cause.found ?? cause.message
    return recorder.refuse('ek-certificate-malformed', { found, cause, bytes })
  }
}

function verifyChain(
  evidence: CertificateEvidence,
  leaf: Certificate,
  quirks: QuirkUse,
  recorder: CheckRecorder,
): { path: CertificationPath; anchor: TrustAnchor } {
  const admitted = new Map(evidence.anchors.map(anchor => [anchor.fingerprint, anchor]))
  const path = buildPath(evidence, leaf, recorder, certificate => {
    const anchor = admitted.get(certificate.fingerprint)
    return anchor === undefined ? new Set() : quirks.pathTolerances(anchor.vendor)
  })
  const anchor = admitted.get(path.anchor.fingerprint)
  if (anchor === undefined)
    throw new TypeError('the fingerprint of an anchor is that of its certificate')
  for (const tolerance of path.tolerated) quirks.use(anchor.vendor, tolerance)
  passPath(path, recorder)
  return { path, anchor }
}

function buildPath(
  { chain, intermediates = [], anchors, now }: CertificateEvidence,
  leaf: Certificate,
  recorder: CheckRecorder,
  tolerances: NonNullable<PathInput['tolerances']>,
): CertificationPath {
  if (chain.length > chainLimit) {
    recorder.refuse('path-budget', { found: `${chain.length} certificates in the chain` })
  }
  const time = now.getTime()
  // Whether an expired end entity is let pass is a rule of the profile, with a code of its own.
  const leafTime = Math.max(leaf.fields.notBefore, Math.min(time, leaf.fields.notAfter))
  try {
    return verifyPath({
      leaf,
      intermediates: [
        ...parseHints(chain, parseCertificate),
        ...parseHints(intermediates, parseKnownCertificate),
      ],
      anchors: anchors.map(({ certificate }) => parseKnownCertificate(certificate)),
      time,
      leafTime,
      tolerances,
    })
  } catch (cause) {
    if (!(cause instanceof PathError)) throw cause
    const found = cause.found ?? cause.message
    return recorder.refuse(cause.code, { found, cause, bytes: leaf.fields.encoded })
  }
}

/** A hint that cannot be read is none; what is missing for it shows in the path. */
function parseHints(
  hints: readonly Uint8Array[],
  parse: (bytes: Uint8Array) => Certificate,
): Certificate[] {
  return hints.flatMap(bytes => {
    try {
      return [parse(bytes)]
    } catch (cause) {
      if (cause instanceof X509Error) return []
      throw cause
    }
  })
}

/** Records each rule of the path as held, the first with the anchor: what stands below it may be of one machine alone. */
function passPath({ certificates, anchor }: CertificationPath, recorder: CheckRecorder): void {
  const bytes = certificates[0]?.fields.encoded
  for (const code of Object.keys(pathRows) as PathCode[]) {
    recorder.pass(code, bytes, code === 'path-issuer' ? anchor.fingerprint : undefined)
  }
}

function verifyProfile(
  { now, policy }: CertificateEvidence,
  certificate: Certificate,
  { vendor }: TrustAnchor,
  quirks: QuirkUse,
  recorder: CheckRecorder,
): void {
  const scope: ProfileScope = {
    vendor,
    time: now.getTime(),
    isExpiryTolerated: policy?.expired === 'tolerate',
    tolerates: tolerance => quirks.use(vendor, tolerance),
  }
  for (const check of profileChecks) {
    const found = violationOf(check, certificate, scope)
    const bytes = certificate.fields.encoded
    recorder.require(
      found === undefined,
      check.code,
      found === undefined ? { bytes } : { bytes, found },
    )
  }
}

/** A value inside an extension that cannot be read breaks the rule that is about it. */
function violationOf(
  check: ProfileCheck,
  certificate: Certificate,
  scope: ProfileScope,
): string | undefined {
  try {
    return check.violation(certificate, scope)
  } catch (cause) {
    if (cause instanceof DerError) return cause.message
    throw cause
  }
}
