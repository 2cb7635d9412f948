import {
  issueCredential,
  prepareCredential,
  type Credential,
  type PreparedCredential,
  type ProvenKey,
} from '../core/issuance/credential.ts'
import { statusUrls } from '../core/revocation/location.ts'
import type { CertificateRecord, ChallengeUse } from '../ports/credential-records.ts'
import type { AuditEntry, HostRecord, Principal } from '../ports/records.ts'
import type { Authority } from './authorities.ts'
import { auditEntry } from './audit-entry.ts'
import { hasEnded } from './authority-record.ts'
import { authorize, type Authorized } from './authorization.ts'
import { ServiceError } from './error.ts'
import { statusLocation } from './certificate-lists.ts'
import { explainRevocation } from './explain-revocation.ts'
import { registeredJktOf } from './hsm-keys.ts'
import type { Service } from './service.ts'

/** Whom a certificate is for, and on which proofs it rests. */
export interface CertificateSubject {
  readonly kind: 'host' | 'agent'
  readonly id: string
  readonly spiffeId: string
  /** Whom the policies are asked about. */
  readonly principal: Principal
  /** Network address of who asks. */
  readonly sourceAddress: string | undefined
  /** A key that its hardware proved for this very request. */
  readonly key: ProvenKey
  /** The host's standing; no certificate outlasts it. */
  readonly attestation: Pick<
    HostRecord,
    'attestationExpiresAt' | 'evidenceSha256' | 'attestationId' | 'assurance' | 'earSha256'
  >
}

export interface IssuedCertificate {
  /** DER, leaf first, root last. */
  readonly chain: readonly Uint8Array[]
  readonly serial: string
  readonly notAfter: number
}

/** A certificate that policies permit and lints pass; nothing of it is recorded or signed. */
export interface PreparedIssuance {
  readonly subject: CertificateSubject
  readonly authority: Authority
  readonly authorized: Authorized
  readonly prepared: PreparedCredential
  /** When it was decided on. */
  readonly at: number
}

/** What an intent takes with it besides the certificate. */
export interface IntentClaims {
  /** The renewal that the certificate answers (`renewalIdOf`). */
  readonly renewal?: string | undefined
  /** The challenge that is over with it. */
  readonly challenge?: ChallengeUse | undefined
}

/**
 * Decides on a certificate and prepares it: whatever refuses it does so before anything is changed for its sake.
 *
 * @throws ServiceError `attestation-expired`, `authority-absent`, `authority-expired`, `authorization-denied`,
 *   `authorization-failed`; LintError
 * @see RFC 5280 §4, X509-SVID §2
 */
export async function prepareIssuance(
  service: Service,
  subject: CertificateSubject,
): Promise<PreparedIssuance> {
  const at = service.clock.now()
  const authority = service.authorities.active()
  const authorized = await authorizeCertificate(service, subject)
  const prepared = prepareCertificate(service, subject, authority, authorized)
  return { subject, authority, authorized, prepared, at }
}

/**
 * Logs the intent, signs, logs the result. A crash in between leaves an intent that the next start closes as `unknown`,
 * and so does a signer that fails: what it was given may have been signed.
 *
 * @throws ServiceError `attestation-expired`, `attestation-outdated`, `authority-inactive`, `host-revoked`,
 *   `agent-revoked`, `key-superseded`, `challenge-used`, `hsm-key-retired`; `renewal-under-way` where the same renewal is answered, or about
 *   to be; SignerError
 */
export async function issuePrepared(
  service: Service,
  issuance: PreparedIssuance,
  claims: IntentClaims = {},
): Promise<IssuedCertificate> {
  const { subject, authority, prepared } = issuance
  await recordIntent(service, issuance, claims)
  const credential = await sign(service, issuance)
  const encoded = claims.renewal === undefined ? undefined : credential.certificate
  await recordIssued(service, subject, prepared, { x5t: credential.x5t, encoded })
  return {
    chain: [credential.certificate, ...authority.chain],
    serial: prepared.serial,
    notAfter: prepared.notAfter,
  }
}

/** Both steps, where nothing is to be done between them. */
export async function issueCertificate(
  service: Service,
  subject: CertificateSubject,
): Promise<IssuedCertificate> {
  return await issuePrepared(service, await prepareIssuance(service, subject))
}

/** What the policies leave of the longest lifetime that there could be. */
async function authorizeCertificate(
  service: Service,
  { principal, sourceAddress, attestation }: CertificateSubject,
): Promise<Authorized> {
  const remaining = Math.floor((attestation.attestationExpiresAt - service.clock.now()) / 1000)
  if (remaining < 1) throw new ServiceError('attestation-expired')
  return authorize(service, {
    action: 'issueCertificate',
    principal,
    audience: `spiffe://${service.settings.trustDomain}`,
    scopes: [],
    lifetimeSeconds: Math.min(service.settings.certificateLifetimeSeconds, remaining),
    sourceAddress,
  })
}

function prepareCertificate(
  service: Service,
  subject: CertificateSubject,
  authority: Authority,
  { lifetimeSeconds }: Authorized,
): PreparedCredential {
  const now = service.clock.now()
  const [issuer] = authority.chain
  if (issuer === undefined) throw new TypeError('an authority has a chain')
  if (hasEnded(authority, now)) throw new ServiceError('authority-expired')
  const { attestationExpiresAt, assurance, earSha256 } = subject.attestation
  // A record from before certificates named their Attestation Result has none to name.
  if (attestationExpiresAt <= now + 1000 || earSha256 === null)
    throw new ServiceError('attestation-expired')
  const request = {
    profile: service.issuance.profiles[subject.kind],
    issuer,
    signatureAlgorithm: authority.signer.algorithm,
    key: subject.key,
    spiffeId: subject.spiffeId,
    commonName: subject.id,
    serial: service.random.bytes(16),
    notBefore: now,
    notAfter: Math.min(now + lifetimeSeconds * 1000, attestationExpiresAt),
    attestation: { assurance, resultSha256: earSha256, expiresAt: attestationExpiresAt },
    statusOf: (serial: string) => statusUrls(statusLocation(service, authority.id), serial),
  }
  return prepareCredential(request, service.issuance.throwaway)
}

async function sign(
  service: Service,
  { subject, authority, prepared }: PreparedIssuance,
): Promise<Credential> {
  try {
    return await issueCredential(prepared, authority.signer)
  } catch (cause) {
    const detail = { outcome: 'unknown', serial: prepared.serial }
    const entry = auditEntry(service, 'certificate.unknown', 'service', subject.spiffeId, detail)
    await service.store.certificates.abandon(prepared.serial, entry)
    throw cause
  }
}

async function recordIntent(
  service: Service,
  issuance: PreparedIssuance,
  { renewal, challenge }: IntentClaims,
): Promise<void> {
  const { subject, prepared, authority } = issuance
  const record = intentOf(issuance, renewal ?? null)
  const entry = intentEntry(service, issuance, renewal)
  const voucher = registeredJktOf(subject.key)
  const { certificates } = service.store
  const answer = await certificates.intend(record, entry, challenge, voucher)
  switch (answer) {
    case 'done':
      return
    case 'authority-inactive':
      // Another took its place meanwhile: the next attempt finds that one.
      await service.authorities.reload()
      throw new ServiceError('authority-inactive', { found: authority.id })
    case 'subject-revoked':
      throw await explainRevocation(service, prepared.jkt)
    case 'hsm-key-retired':
      throw new ServiceError(answer, { found: voucher ?? '' })
    case 'renewed':
      throw new ServiceError('renewal-under-way')
    default:
      throw new ServiceError(answer, { found: subject.spiffeId })
  }
}

function intentOf(
  { subject, prepared, authority, at }: PreparedIssuance,
  renewal: string | null,
): CertificateRecord {
  const { serial, notBefore, notAfter, jkt, tbsSha256 } = prepared
  return {
    serial,
    subjectKind: subject.kind,
    subjectId: subject.id,
    spiffeId: subject.spiffeId,
    jkt,
    notBefore,
    notAfter,
    status: 'intended',
    x5t: null,
    attestationId: subject.attestation.attestationId,
    authorityId: authority.id,
    revokedAt: null,
    revocationReason: null,
    intendedAt: at,
    tbsSha256,
    renewal,
  }
}

/** All that tells afterwards what may have been signed. */
function intentEntry(
  service: Service,
  { subject, prepared, authority, authorized }: PreparedIssuance,
  renewal: string | undefined,
): AuditEntry {
  return auditEntry(service, 'certificate.intended', 'service', subject.spiffeId, {
    serial: prepared.serial,
    notAfter: prepared.notAfter,
    jkt: prepared.jkt,
    tbs: prepared.tbsSha256,
    authority: authority.id,
    evidence: subject.attestation.evidenceSha256,
    attestation: subject.attestation.attestationId,
    ...(renewal === undefined ? {} : { renewal }),
    authorization: authorized.record,
  })
}

async function recordIssued(
  service: Service,
  subject: CertificateSubject,
  { serial, jkt }: PreparedCredential,
  issued: { readonly x5t: string; readonly encoded: Uint8Array | undefined },
): Promise<void> {
  const { x5t } = issued
  const detail = { serial, x5t }
  const entry = auditEntry(service, 'certificate.issued', 'service', subject.spiffeId, detail)
  if ((await service.store.certificates.issue(serial, issued, entry)) === 'revoked')
    throw await explainRevocation(service, jkt)
}
