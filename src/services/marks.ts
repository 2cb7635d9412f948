import type { HostLabelsRecord, RiskRecord, RiskSubject } from '../ports/mark-records.ts'
import { auditEntry } from './audit-entry.ts'
import { ServiceError, type ServiceErrorCode } from './error.ts'
import type { Service } from './service.ts'

/** What operators wrote down of subjects, found by subject. */
export interface Marks {
  labelsOf(hostId: string): readonly string[]
  /** 0 where nobody set one, or its time is over. */
  riskOf(kind: RiskSubject, id: string, now: number): number
}

/** Makes what is kept ready to be asked. */
export function readMarks(kept: {
  readonly labels: readonly HostLabelsRecord[]
  readonly risks: readonly RiskRecord[]
}): Marks {
  const labels = new Map(kept.labels.map(row => [row.hostId, row.labels]))
  const risks = new Map(kept.risks.map(row => [`${row.kind}/${row.subjectId}`, row]))
  return {
    labelsOf: hostId => labels.get(hostId) ?? [],
    riskOf: (kind, id, now) => {
      const risk = risks.get(`${kind}/${id}`)
      return risk === undefined || risk.expiresAt <= now ? 0 : risk.score
    },
  }
}

/**
 * Writes the labels of a host, in place of those it had.
 *
 * @throws ServiceError `host-unknown`
 */
export async function setHostLabels(
  service: Service,
  actor: string,
  hostId: string,
  labels: readonly string[],
): Promise<HostLabelsRecord> {
  const sorted = [...new Set(labels)].sort()
  const record = { hostId, labels: sorted, setAt: service.clock.now(), setBy: actor }
  const entry = auditEntry(service, 'host.labelled', actor, hostId, { labels: sorted })
  if ((await service.store.marks.setLabels(record, entry)) === 'unknown')
    throw new ServiceError('host-unknown', { found: hostId })
  service.authorization.forget()
  return record
}

/** What an operator says of the risk of a subject, and for how long. */
export interface RiskRequest {
  readonly kind: RiskSubject
  readonly subjectId: string
  readonly score: number
  readonly reason: string
  readonly expiresInSeconds: number
}

const unknownOf: Readonly<Record<RiskSubject, ServiceErrorCode>> = {
  host: 'host-unknown',
  agent: 'agent-unknown',
  class: 'class-unknown',
  operator: 'operator-unknown',
}

/**
 * Sets the risk score of a subject until a time, in place of the one it had.
 *
 * @throws ServiceError `host-unknown`, `agent-unknown`, `class-unknown`, `operator-unknown`
 */
export async function setRisk(
  service: Service,
  actor: string,
  { kind, subjectId, score, reason, expiresInSeconds }: RiskRequest,
): Promise<RiskRecord> {
  const setAt = service.clock.now()
  const expiresAt = setAt + expiresInSeconds * 1000
  const record = { kind, subjectId, score, reason, setAt, setBy: actor, expiresAt }
  const detail = { score, reason, expiresAt }
  const entry = auditEntry(service, 'risk.set', actor, `${kind}/${subjectId}`, detail)
  if ((await service.store.marks.setRisk(record, entry)) === 'unknown')
    throw new ServiceError(unknownOf[kind], { found: subjectId })
  service.authorization.forget()
  return record
}

/**
 * Takes a risk score back before its time.
 *
 * @throws ServiceError `risk-unknown`
 */
export async function clearRisk(
  service: Service,
  actor: string,
  kind: RiskSubject,
  id: string,
): Promise<void> {
  const entry = auditEntry(service, 'risk.cleared', actor, `${kind}/${id}`)
  if ((await service.store.marks.clearRisk(kind, id, entry)) === 'unknown')
    throw new ServiceError('risk-unknown', { found: `${kind}/${id}` })
  service.authorization.forget()
}

/** The scores that count at this moment. */
export async function listRisks(service: Service): Promise<readonly RiskRecord[]> {
  const { risks } = await service.store.marks.load()
  const now = service.clock.now()
  return risks.filter(({ expiresAt }) => expiresAt > now)
}

/** Labels of every host that has some. */
export async function listHostLabels(service: Service): Promise<readonly HostLabelsRecord[]> {
  return (await service.store.marks.load()).labels
}
