import type { RevocationReason } from '../core/status/revocation-reason.ts'
import type {
  RevocationAct,
  RevocationCounts,
  RevocationKind,
  RevocationTarget,
} from '../ports/revocation.ts'
import { auditEntry, type AuditType } from './audit-entry.ts'
import { ServiceError, type ServiceErrorCode } from './error.ts'
import type { Service } from './service.ts'

export type { RevocationTarget }

/** Why, for those who read the log and for those who read revocation lists. */
export interface Reason {
  /** One line of free text. */
  readonly text: string
  /** The one of the target's kind where absent. */
  readonly code?: RevocationReason | undefined
}

/** What one call took back. `isAlready`: it was down before, and nothing changed. */
export interface Revoked extends RevocationCounts {
  readonly target: RevocationTarget
  readonly reasonCode: RevocationReason
  readonly isAlready: boolean
}

interface TargetRow {
  readonly type: AuditType
  readonly reasonCode: RevocationReason
  /** What to say of a target that is not there; absent where what is not known yet can be barred. */
  readonly unknown?: ServiceErrorCode
}

const targets: Readonly<Record<RevocationKind, TargetRow>> = {
  host: { type: 'host.revoked', reasonCode: 'unspecified', unknown: 'host-unknown' },
  agent: { type: 'agent.revoked', reasonCode: 'unspecified', unknown: 'agent-unknown' },
  class: { type: 'class.revoked', reasonCode: 'privilegeWithdrawn', unknown: 'class-unknown' },
  endorsement: { type: 'endorsement.revoked', reasonCode: 'keyCompromise' },
  anchor: { type: 'anchor.revoked', reasonCode: 'cACompromise' },
  firmware: { type: 'firmware.revoked', reasonCode: 'keyCompromise' },
  operator: { type: 'operator.revoked', reasonCode: 'unspecified', unknown: 'operator-unknown' },
  certificate: {
    type: 'certificate.revoked',
    reasonCode: 'unspecified',
    unknown: 'serial-unknown',
  },
}

/**
 * Takes a target back with every agent, certificate and token under it, in one transaction. Asking twice is not an
 * error.
 *
 * @param actor who does it, as the log names them
 * @throws ServiceError `host-unknown`, `agent-unknown`, `class-unknown`, `operator-unknown`, `serial-unknown`
 */
export async function revoke(
  service: Service,
  actor: string,
  target: RevocationTarget,
  reason: Reason,
): Promise<Revoked> {
  const act = prepareAct(service, actor, target, reason)
  const entry = auditEntry(service, targets[target.kind].type, actor, subjectOf(target))
  const answer = await service.store.revocations.revoke(act, entry)
  if (answer === 'state-changed') throw new TypeError('only evidence is bound to a state')
  return outcomeOf(act, answer)
}

/**
 * What {@link revoke} would take back at this moment. Changes nothing.
 *
 * @throws ServiceError as {@link revoke}
 */
export async function previewRevocation(
  service: Service,
  actor: string,
  target: RevocationTarget,
  reason: Reason,
): Promise<Revoked> {
  const act = prepareAct(service, actor, target, reason)
  return outcomeOf(act, await service.store.revocations.preview(act))
}

function prepareAct(
  service: Service,
  author: string,
  target: RevocationTarget,
  reason: Reason,
): RevocationAct {
  const reasonCode = reason.code ?? targets[target.kind].reasonCode
  return { target, at: service.clock.now(), reasonCode, reason: reason.text, author }
}

const nothing: RevocationCounts = { hosts: 0, agents: 0, certificates: 0, tokens: 0, operators: 0 }

function outcomeOf(
  { target, reasonCode }: RevocationAct,
  answer: RevocationCounts | 'unknown' | 'already',
): Revoked {
  const { unknown } = targets[target.kind]
  if (answer === 'unknown') throw new ServiceError(unknown!, { found: subjectOf(target) })
  const isAlready = answer === 'already'
  return { target, reasonCode, isAlready, ...(isAlready ? nothing : answer) }
}

/** A target as the log names it. */
function subjectOf(target: RevocationTarget): string {
  switch (target.kind) {
    case 'class':
      return target.name
    case 'anchor':
      return target.fingerprint
    case 'certificate':
      return target.serial
    case 'firmware':
      return `${target.vendor} ${target.lowest}-${target.highest}`
    default:
      return target.id
  }
}
