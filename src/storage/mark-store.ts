import type { HostLabelsRecord, RiskRecord } from '../ports/mark-records.ts'
import type { MarkStore } from '../ports/store.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { parseStringList } from './records/bytes.ts'
import type { HostLabelRow, RiskScoreRow } from './policy-rows.ts'

/** The `MarkStore` of any database. */
export function createMarkStore(db: Executor): MarkStore {
  return {
    setLabels: async (labels, entry) =>
      await db.execute('setHostLabels', encodeLabels(labels), encodeEntry(entry)),
    setRisk: async (risk, entry) =>
      await db.execute('setRiskScore', encodeRisk(risk), encodeEntry(entry)),
    clearRisk: async (kind, id, entry) =>
      await db.execute('clearRiskScore', kind, id, encodeEntry(entry)),
    load: async () => {
      const { labels, risks } = await db.execute('loadMarks')
      return { labels: labels.map(parseLabels), risks: risks.map(parseRisk) }
    },
  }
}

function encodeLabels({ hostId, labels, setAt, setBy }: HostLabelsRecord): HostLabelRow {
  return { host_id: hostId, labels: JSON.stringify(labels), set_at: setAt, set_by: setBy }
}

function parseLabels(row: HostLabelRow): HostLabelsRecord {
  const labels = parseStringList(row.labels)
  return { hostId: row.host_id, labels, setAt: row.set_at, setBy: row.set_by }
}

function encodeRisk(risk: RiskRecord): RiskScoreRow {
  return {
    kind: risk.kind,
    subject_id: risk.subjectId,
    score: risk.score,
    reason: risk.reason,
    set_at: risk.setAt,
    set_by: risk.setBy,
    expires_at: risk.expiresAt,
  }
}

function parseRisk(row: RiskScoreRow): RiskRecord {
  return {
    kind: row.kind as RiskRecord['kind'],
    subjectId: row.subject_id,
    score: row.score,
    reason: row.reason,
    setAt: row.set_at,
    setBy: row.set_by,
    expiresAt: row.expires_at,
  }
}
