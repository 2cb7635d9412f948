import { encodeAuditEntry, type LoggedAct } from '../../core/log/audit-entry.ts'
import type { RevocationCounts } from '../../ports/revocation.ts'
import type { RevocationRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { keepAttestation, type KeptRow } from './attestations.ts'
import { retireRevoked } from './anchors.ts'
import { isBarred } from './revocation-bars.ts'
import { completeAct, nextAct, type ActRow } from './revocation-acts.ts'
import type { Fallen } from './revocation-cascade.ts'
import { recordEvents } from './revocation-events.ts'
import { targetRows } from './revocation-targets.ts'

const stateVersion = statement<{ target: string }>()((db, is) =>
  db.selectFrom('hosts').select('state_version').where('id', '=', is.target),
)

/** See `RevocationStore.revoke`. */
export async function revoke(
  tx: Transaction,
  act: ActRow,
  evidence: (KeptRow & { readonly stateVersion: number }) | null,
  entry: LoggedAct,
): Promise<RevocationCounts | 'unknown' | 'already' | 'state-changed'> {
  if (evidence !== null) {
    const host = await tx.first(stateVersion, act)
    if (host !== undefined && host.state_version !== evidence.stateVersion)
      return tx.refuse('state-changed')
  }
  const id = await nextAct(tx)
  const fallen = await takeDown(tx, { ...act, id })
  if (typeof fallen === 'string') return tx.refuse(fallen)
  if (evidence !== null) await keepAttestation(tx, evidence)
  await recordFallen(tx, { ...act, id }, fallen, entry)
  return countsOf(fallen)
}

/** See `RevocationStore.preview`: the very statements, undone. */
export async function previewRevocation(
  tx: Transaction,
  act: ActRow,
): Promise<RevocationCounts | 'unknown' | 'already'> {
  const id = await nextAct(tx)
  const fallen = await takeDown(tx, { ...act, id })
  tx.refuse('preview')
  return typeof fallen === 'string' ? fallen : countsOf(fallen)
}

async function takeDown(
  tx: Transaction,
  act: RevocationRow,
): Promise<Fallen | 'unknown' | 'already'> {
  const row = targetRows[act.kind]
  if (row === undefined) return 'unknown'
  if (row.find !== undefined && (await tx.first(row.find, act)) === undefined) return 'unknown'
  if (row.isBar && (await isBarred(tx, act.kind, act.target))) return 'already'
  const marked = await tx.run(row.mark, act)
  if (!row.isBar && marked === 0) return 'already'
  if (act.kind === 'anchor') await retireRevoked(tx, act)
  return await completeAct(tx, act)
}

function countsOf(fallen: Fallen): RevocationCounts {
  return {
    hosts: fallen.hosts.length,
    agents: fallen.agents.length,
    certificates: fallen.certificates.length,
    tokens: fallen.tokens.length,
    operators: fallen.operators.length,
  }
}

/** The act with its counts, then what fell, part by part: no entry grows with the size of a fleet. */
export async function recordFallen(
  tx: Transaction,
  act: RevocationRow,
  fallen: Fallen,
  entry: LoggedAct,
): Promise<void> {
  const parts = await recordEvents(tx, act, fallen)
  const { id: revocation, reason_code: reasonCode, reason } = act
  const detail = { ...entry.detail, revocation, reasonCode, reason, ...countsOf(fallen) }
  tx.append(
    encodeAuditEntry({ ...entry, detail: { ...detail, fallen: { ...detailOf(parts[0]) } } }),
  )
  for (const part of parts.slice(1))
    tx.append(
      encodeAuditEntry({
        ...entry,
        type: 'revocation.continued',
        detail: { revocation, fallen: detailOf(part) },
      }),
    )
}

/** Identifiers alone; those that are absent are not named. */
function detailOf(part: Fallen | undefined): Record<string, readonly string[]> {
  const lists = {
    hosts: part?.hosts ?? [],
    agents: part?.agents.map(({ id }) => id) ?? [],
    certificates: part?.certificates ?? [],
    tokens: part?.tokens.map(({ jti }) => jti) ?? [],
    operators: part?.operators ?? [],
  }
  return Object.fromEntries(Object.entries(lists).filter(([, ids]) => ids.length > 0))
}
