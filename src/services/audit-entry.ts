import type { AuditEntry } from '../ports/records.ts'
import type { Service } from './service.ts'

/** The acts that the log knows; a new act is a new row here and in the README's table. */
export const auditTypes = [
  'service.initialised',
  'service.started',
  'signer.down',
  'signer.up',
  'authority.prepared',
  'authority.activated',
  'authority.tainted',
  'authority.revoked',
  'bundle.published',
  'bundle.adopted',
  'anchor.added',
  'anchor.proposed',
  'anchor.approved',
  'anchor.retired',
  'revocation-list.added',
  'operator.registered',
  'operator.revoked',
  'policy.proposed',
  'policy.activated',
  'authorization.proposed',
  'authorization.activated',
  'authorization.denied',
  'authorization.failed',
  'operator.authorized',
  'host.labelled',
  'risk.set',
  'risk.cleared',
  'endorsement.queued',
  'endorsement.approved',
  'endorsement.listed',
  'endorsement.refused',
  'hsm-key.registered',
  'hsm-key.retired',
  'enrollment.challenged',
  'enrollment.refused',
  'host.enrolled',
  'host.revoked',
  'class.registered',
  'agent.created',
  'agent.challenged',
  'agent.refused',
  'agent.key-bound',
  'agent.revoked',
  'certificate.intended',
  'certificate.issued',
  'certificate.refused',
  'certificate.unknown',
  'token.issued',
  'token.revoked',
  'jwt-svid.issued',
  'wit-svid.issued',
  'client-attestation.issued',
] as const

export type AuditType = (typeof auditTypes)[number]

/** One line for the audit log, stamped with the service's clock. */
export function auditEntry(
  service: Pick<Service, 'clock'>,
  type: AuditType,
  actor: string,
  subject: string,
  detail: AuditEntry['detail'] = {},
): AuditEntry {
  return { type, time: service.clock.now(), actor, subject, detail }
}
