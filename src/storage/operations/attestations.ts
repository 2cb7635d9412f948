import type { AttestationRow } from '../policy-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

/** An attestation to insert, and how many of its like are kept. Its `sequence` is given here. */
export interface KeptRow {
  readonly row: Omit<AttestationRow, 'sequence'>
  readonly perHost: number
  readonly refused: number
}

/** A row without what only one reader at a time needs. */
export type AttestationSummaryRow = Omit<
  AttestationRow,
  'sequence' | 'evidence' | 'context' | 'verdict' | 'ear'
>

const last = statement<object>()(db =>
  db.selectFrom('attestations').select('sequence').orderBy('sequence', 'desc').limit(1),
)

const insert = statement<AttestationRow>()((db, is) =>
  db.insertInto('attestations').values({
    id: is.id,
    sequence: is.sequence,
    host_id: is.host_id,
    enrollment_id: is.enrollment_id,
    format: is.format,
    evidence: is.evidence,
    evidence_sha256: is.evidence_sha256,
    context: is.context,
    verdict: is.verdict,
    ear: is.ear,
    status: is.status,
    policy_id: is.policy_id,
    appraised_at: is.appraised_at,
    expires_at: is.expires_at,
  }),
)

const newestOfHost = statement<{ host_id: string | null; count: number }>()((db, is) =>
  db
    .selectFrom('attestations')
    .select('sequence')
    .where('host_id', '=', is.host_id)
    .where('expires_at', 'is', null)
    .orderBy('sequence', 'desc')
    .limit(is.count),
)

const dropOfHost = statement<{ host_id: string | null; oldest: number }>()((db, is) =>
  db
    .deleteFrom('attestations')
    .where('host_id', '=', is.host_id)
    .where('expires_at', 'is', null)
    .where('sequence', '<', is.oldest),
)

const newestRefused = statement<{ count: number }>()((db, is) =>
  db
    .selectFrom('attestations')
    .select('sequence')
    .where('expires_at', 'is not', null)
    .orderBy('sequence', 'desc')
    .limit(is.count),
)

const dropRefused = statement<{ oldest: number }>()((db, is) =>
  db
    .deleteFrom('attestations')
    .where('expires_at', 'is not', null)
    .where('sequence', '<', is.oldest),
)

const find = statement<{ id: string }>()((db, is) =>
  db.selectFrom('attestations').selectAll().where('id', '=', is.id),
)

const summary = [
  'id',
  'host_id',
  'enrollment_id',
  'format',
  'evidence_sha256',
  'status',
  'policy_id',
  'appraised_at',
  'expires_at',
] as const

const listOfHost = statement<{ host_id: string; count: number }>()((db, is) =>
  db
    .selectFrom('attestations')
    .select(summary)
    .where('host_id', '=', is.host_id)
    .orderBy('sequence', 'desc')
    .limit(is.count),
)

const listAll = statement<{ count: number }>()((db, is) =>
  db.selectFrom('attestations').select(summary).orderBy('sequence', 'desc').limit(is.count),
)

/** Inserts within the transaction of the act that the attestation decided, and lets go of what is too old. */
export async function keepAttestation(
  tx: Transaction,
  { row, perHost, refused }: KeptRow,
): Promise<void> {
  const sequence = ((await tx.first(last, {}))?.sequence ?? 0) + 1
  await tx.run(insert, { ...row, sequence })
  if (row.expires_at !== null) await dropBeyond(tx, await tx.all(newestRefused, { count: refused }))
  else await dropBeyond(tx, await tx.all(newestOfHost, { ...row, count: perHost }), row)
}

async function dropBeyond(
  tx: Transaction,
  kept: readonly { readonly sequence: number }[],
  host?: { readonly host_id: string | null },
): Promise<void> {
  const oldest = kept.at(-1)?.sequence ?? 0
  if (host === undefined) await tx.run(dropRefused, { oldest })
  else await tx.run(dropOfHost, { host_id: host.host_id, oldest })
}

/** See `AttestationStore.find`. */
export async function findAttestation(
  tx: Transaction,
  id: string,
): Promise<AttestationRow | undefined> {
  return await tx.first(find, { id })
}

/** See `AttestationStore.list`; newest first. */
export async function listAttestations(
  tx: Transaction,
  host_id: string | null,
  count: number,
): Promise<AttestationSummaryRow[]> {
  if (host_id === null) return await tx.all(listAll, { count })
  return await tx.all(listOfHost, { host_id, count })
}
