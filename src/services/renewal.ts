import { keyProofEnd } from '../core/appraisal/key-proof.ts'
import { CodedError } from '../core/coded-error.ts'
import { verifyRenewalRequest } from '../core/issuance/renewal-request.ts'
import type { ProvenKey } from '../core/issuance/credential.ts'
import type { ChallengeUse } from '../ports/credential-records.ts'
import type { ClientRecord } from '../ports/records.ts'
import { activePolicy } from './appraisal-policy.ts'
import { requireAttestedBoot } from './attested-boot.ts'
import { auditEntry } from './audit-entry.ts'
import {
  createKeyChallenge,
  keyChallengeView,
  requireTaken,
  type KeyChallenge,
} from './challenge.ts'
import { ServiceError } from './error.ts'
import { explainRevocation } from './explain-revocation.ts'
import {
  issuePrepared,
  prepareIssuance,
  type IssuedCertificate,
  type PreparedIssuance,
} from './issuance.ts'
import { hasTpm, verifyKeyEvidence, type KeyEvidence } from './key-evidence.ts'
import { clientId, clientSpiffeId } from './naming.ts'
import { findRenewalId, findRenewed } from './renewal-answer.ts'
import type { Service } from './service.ts'

/** A client that has a certificate: everybody but operators. */
export type CertifiedClient = Extract<ClientRecord, { readonly kind: 'host' | 'agent' }>

/** A request for the next certificate for the key that the caller has. */
export interface RenewalRequest {
  /** The proof that the hardware still holds the key. */
  readonly evidence: KeyEvidence
  /** The certificate that is to be replaced (RFC 9773 §4.1); undefined where the caller names none. */
  readonly replaces: string | undefined
}

/**
 * A fresh challenge for the caller's own key, to renew its certificate with.
 *
 * @throws ServiceError `host-revoked`, `agent-revoked`, `key-superseded`
 */
export async function challengeRenewal(
  service: Service,
  client: CertifiedClient,
): Promise<KeyChallenge> {
  const { host } = await requireCurrent(service, client)
  const use = { purpose: 'renewal', subject: clientId(client) } as const
  const record = createKeyChallenge(service, host, use)
  const id = clientSpiffeId(service, client)
  const entry = auditEntry(service, 'certificate.challenged', id, id)
  await service.store.challenges.create(record, entry)
  return keyChallengeView(service, record)
}

/**
 * Renews the caller's own certificate for the key that it has, once its hardware has shown that it still holds it, in
 * the boot that the host attested. A new key is never taken on this way. Whoever asks again to replace the same
 * certificate gets the same answer for as long as it is good, and no challenge is taken for it.
 *
 * @throws ServiceError `renewal-…`, `key-proof-expired`, `challenge-…`, `attestation-outdated`,
 *   `attestation-superseded`, `attestation-expired`, `authorization-denied`; EvidenceError with the checks that ran
 */
export async function renewCertificate(
  service: Service,
  client: CertifiedClient,
  request: RenewalRequest,
  sourceAddress?: string,
): Promise<IssuedCertificate> {
  const renewal = await findRenewalId(service, client, request.replaces)
  const known = renewal === undefined ? undefined : await findRenewed(service, renewal)
  if (known !== undefined) return known
  const challenge = challengeUse(client, request.evidence.challenge)
  try {
    const prepared = await prepareRenewal(service, client, request.evidence, sourceAddress)
    return await issuePrepared(service, prepared, { renewal, challenge })
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    // Somebody else came first with the same renewal: one certificate, and everybody gets it.
    const isLate = cause.code === 'renewal-under-way' || cause.code === 'challenge-used'
    const answer = isLate && renewal !== undefined ? await findRenewed(service, renewal) : undefined
    if (answer !== undefined) return answer
    await recordRefusal(service, client, challenge, cause)
    throw cause
  }
}

function challengeUse(client: CertifiedClient, id: string): ChallengeUse {
  return { id, subject: clientId(client), purpose: 'renewal' }
}

/** All that can refuse a renewal before it is recorded. */
async function prepareRenewal(
  service: Service,
  client: CertifiedClient,
  evidence: KeyEvidence,
  sourceAddress: string | undefined,
): Promise<PreparedIssuance> {
  const current = await requireCurrent(service, client)
  const key = await proveRenewal(service, current, evidence)
  return await prepareIssuance(service, {
    kind: current.kind,
    id: clientId(current),
    spiffeId: clientSpiffeId(service, current),
    principal: current,
    sourceAddress,
    key,
    attestation: current.host,
  })
}

/** A challenge that was answered in vain is over as well. */
async function recordRefusal(
  service: Service,
  client: CertifiedClient,
  challenge: ChallengeUse,
  { code }: CodedError,
): Promise<void> {
  const id = clientSpiffeId(service, client)
  const entry = auditEntry(service, 'certificate.refused', id, id, { code })
  await service.store.challenges.refuse(challenge, service.clock.now(), entry)
}

/** What is cheap to see comes first; the hardware's own word last. */
async function proveRenewal(
  service: Service,
  client: CertifiedClient,
  evidence: KeyEvidence,
): Promise<ProvenKey> {
  const { key, host } = client
  if (!verifyRenewalRequest(evidence.csr, service.proofKeys.importOnce(key)))
    throw new ServiceError('renewal-key-differs', { expected: key.jkt })
  await requireCurrentProof(service, client)
  const use = challengeUse(client, evidence.challenge)
  const challenge = requireTaken(await service.store.challenges.find(use, service.clock.now()))
  const context = { purpose: 'renewal', contextId: use.subject, nonce: challenge.nonce } as const
  const proven = await verifyKeyEvidence(service, host, context, evidence)
  if (proven.jkt !== key.jkt) throw new ServiceError('renewal-key-differs', { expected: key.jkt })
  await requireAttestedBoot(service, host, challenge, proven)
  return proven
}

async function requireCurrentProof(
  service: Service,
  { key, host }: CertifiedClient,
): Promise<void> {
  const { policy } = await activePolicy(service)
  const { provenAt } = key
  const end = keyProofEnd(policy.document, hasTpm(host) ? 'tpm' : 'hsm', provenAt)
  if (service.clock.now() < end) return
  throw new ServiceError('key-proof-expired', {
    found: provenAt === null ? 'no time of a proof' : `proven ${new Date(provenAt).toISOString()}`,
  })
}

/** The client as it stands in the store at this moment, not as it was remembered when its token was checked. */
async function requireCurrent(
  service: Service,
  { kind, key }: CertifiedClient,
): Promise<CertifiedClient> {
  const client = await service.store.clients.findByKey(key.jkt)
  const isActive =
    client?.kind === kind &&
    client.host.status === 'active' &&
    (client.kind === 'host' || client.agent.status === 'active')
  if (!isActive) throw await explainRevocation(service, key.jkt)
  return client
}
