import {
  suggestWindow,
  type RenewalCause,
  type SuggestedWindow,
} from '../core/issuance/renewal-window.ts'
import type { CertificateRecord } from '../ports/credential-records.ts'
import { ServiceError } from './error.ts'
import { findCertificateById } from './renewal-answer.ts'
import type { Service } from './service.ts'

/** When a certificate is to be renewed, and when to ask again. */
export interface RenewalInfo {
  readonly window: SuggestedWindow
  readonly retryAfterSeconds: number
}

/**
 * When whoever has a certificate is to renew it. Anybody may ask who can name it: a serial number is 127 random bits.
 *
 * @param id as RFC 9773 §4.1 writes it
 * @throws ServiceError `certificate-id-malformed`, `serial-unknown`
 * @see RFC 9773 §4
 */
export async function findRenewalInfo(service: Service, id: string): Promise<RenewalInfo> {
  const record = await findCertificateById(service, id)
  // What was never issued nobody has to renew.
  if (record === undefined || record.x5t === null)
    throw new ServiceError('serial-unknown', { found: id })
  const causes = [
    ...revocationOf(record),
    ...turnoverOf(service, record),
    ...(await policyChanges(service, record)),
  ]
  const retryAfterSeconds = service.settings.bundleRefreshSeconds
  return { window: suggestWindow(record, causes), retryAfterSeconds }
}

function revocationOf({ revokedAt }: CertificateRecord): RenewalCause[] {
  return revokedAt === null ? [] : [{ name: 'revoked', at: revokedAt }]
}

const turnovers = {
  retired: 'authority-retired',
  tainted: 'authority-tainted',
  revoked: 'revoked',
} as const

function turnoverOf(service: Service, { authorityId }: CertificateRecord): RenewalCause[] {
  const authority = service.authorities.records.find(({ id }) => id === authorityId)
  const state = authority?.state
  if (state !== 'retired' && state !== 'tainted' && state !== 'revoked') return []
  return [{ name: turnovers[state], at: authority?.changedAt ?? 0 }]
}

/** Policies that came into force after the certificate was decided on. */
async function policyChanges(
  { store }: Service,
  { intendedAt, notBefore }: CertificateRecord,
): Promise<RenewalCause[]> {
  const found = [await store.policies.findActive(), await store.authorizationPolicies.findActive()]
  const decidedAt = intendedAt ?? notBefore
  return found.flatMap(active =>
    active !== undefined && active.activation.at > decidedAt
      ? [{ name: 'policy-changed', at: active.activation.at } as const]
      : [],
  )
}
