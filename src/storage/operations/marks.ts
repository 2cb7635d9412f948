import type { HostLabelRow, RiskScoreRow } from '../policy-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const hostExists = statement<{ id: string }>()((db, is) =>
  db.selectFrom('hosts').select('id').where('id', '=', is.id),
)

const agentExists = statement<{ id: string }>()((db, is) =>
  db.selectFrom('agents').select('id').where('id', '=', is.id),
)

const classExists = statement<{ id: string }>()((db, is) =>
  db.selectFrom('agent_classes').select('name').where('name', '=', is.id),
)

const operatorExists = statement<{ id: string }>()((db, is) =>
  db.selectFrom('operators').select('id').where('id', '=', is.id),
)

const existsOf = {
  host: hostExists,
  agent: agentExists,
  class: classExists,
  operator: operatorExists,
} as const

const upsertLabels = statement<HostLabelRow>()((db, is) =>
  db
    .insertInto('host_labels')
    .values({ host_id: is.host_id, labels: is.labels, set_at: is.set_at, set_by: is.set_by })
    .onConflict(conflict =>
      conflict
        .column('host_id')
        .doUpdateSet({ labels: is.labels, set_at: is.set_at, set_by: is.set_by }),
    ),
)

const upsertRisk = statement<RiskScoreRow>()((db, is) =>
  db
    .insertInto('risk_scores')
    .values({
      kind: is.kind,
      subject_id: is.subject_id,
      score: is.score,
      reason: is.reason,
      set_at: is.set_at,
      set_by: is.set_by,
      expires_at: is.expires_at,
    })
    .onConflict(conflict =>
      conflict.columns(['kind', 'subject_id']).doUpdateSet({
        score: is.score,
        reason: is.reason,
        set_at: is.set_at,
        set_by: is.set_by,
        expires_at: is.expires_at,
      }),
    ),
)

const deleteRisk = statement<{ kind: string; subject_id: string }>()((db, is) =>
  db.deleteFrom('risk_scores').where('kind', '=', is.kind).where('subject_id', '=', is.subject_id),
)

const allLabels = statement<object>()(db =>
  db.selectFrom('host_labels').selectAll().orderBy('host_id'),
)

const allRisks = statement<object>()(db =>
  db.selectFrom('risk_scores').selectAll().orderBy('kind').orderBy('subject_id'),
)

/** See `MarkStore.setLabels`. */
export async function setHostLabels(
  tx: Transaction,
  labels: HostLabelRow,
  entry: string,
): Promise<'done' | 'unknown'> {
  if ((await tx.first(hostExists, { id: labels.host_id })) === undefined)
    return tx.refuse('unknown')
  await tx.run(upsertLabels, labels)
  tx.append(entry)
  return 'done'
}

/** See `MarkStore.setRisk`. */
export async function setRiskScore(
  tx: Transaction,
  risk: RiskScoreRow,
  entry: string,
): Promise<'done' | 'unknown'> {
  const exists = existsOf[risk.kind as keyof typeof existsOf]
  const found = await tx.first(exists, { id: risk.subject_id })
  if (found === undefined) return tx.refuse('unknown')
  await tx.run(upsertRisk, risk)
  tx.append(entry)
  return 'done'
}

/** See `MarkStore.clearRisk`. */
export async function clearRiskScore(
  tx: Transaction,
  kind: string,
  subject_id: string,
  entry: string,
): Promise<'done' | 'unknown'> {
  if ((await tx.run(deleteRisk, { kind, subject_id })) === 0) return tx.refuse('unknown')
  tx.append(entry)
  return 'done'
}

/** See `MarkStore.load`. */
export async function loadMarks(
  tx: Transaction,
): Promise<{ labels: HostLabelRow[]; risks: RiskScoreRow[] }> {
  return { labels: await tx.all(allLabels, {}), risks: await tx.all(allRisks, {}) }
}
