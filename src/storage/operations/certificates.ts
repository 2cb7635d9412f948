import { encodeAuditEntry } from '../../core/log/audit-entry.ts'
import type { CertificateRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { isIssuing } from './authorities.ts'
import { findStanding } from './standing.ts'

const insert = statement<CertificateRow>()((db, is) =>
  db.insertInto('certificates').values({
    serial: is.serial,
    subject_kind: is.subject_kind,
    subject_id: is.subject_id,
    spiffe_id: is.spiffe_id,
    jkt: is.jkt,
    not_before: is.not_before,
    not_after: is.not_after,
    status: is.status,
    x5t: is.x5t,
    attestation_id: is.attestation_id,
    authority_id: is.authority_id,
  }),
)

const issue = statement<{ serial: string; x5t: string }>()((db, is) =>
  db
    .updateTable('certificates')
    .set({ status: 'issued', x5t: is.x5t })
    .where('serial', '=', is.serial)
    .where('status', '=', 'intended'),
)

const findByX5t = statement<{ x5t: string }>()((db, is) =>
  db.selectFrom('certificates').selectAll().where('x5t', '=', is.x5t),
)

const findBySerial = statement<{ serial: string }>()((db, is) =>
  db.selectFrom('certificates').selectAll().where('serial', '=', is.serial),
)

const newest = statement<{ limit: number }>()((db, is) =>
  db
    .selectFrom('certificates')
    .selectAll()
    .orderBy('not_before', 'desc')
    .orderBy('serial')
    .limit(is.limit),
)

const intended = statement<object>()(db =>
  db.selectFrom('certificates').selectAll().where('status', '=', 'intended').orderBy('serial'),
)

const close = statement<{ serial: string }>()((db, is) =>
  db
    .updateTable('certificates')
    .set({ status: 'unknown' })
    .where('serial', '=', is.serial)
    .where('status', '=', 'intended'),
)

/** See `CertificateStore.intend`. The key must be the subject's present one. */
export async function intendCertificate(
  tx: Transaction,
  certificate: CertificateRow,
  entry: string,
): Promise<'done' | 'subject-revoked' | 'attestation-expired' | 'authority-inactive'> {
  const { subject_kind, subject_id, jkt, not_after } = certificate
  if (!(await isIssuing(tx, certificate.authority_id))) return tx.refuse('authority-inactive')
  const standing = await findStanding(tx, subject_kind, jkt)
  if (standing?.subjectId !== subject_id || !standing.isActive) return tx.refuse('subject-revoked')
  if (standing.attestedUntil === null || not_after > standing.attestedUntil)
    return tx.refuse('attestation-expired')
  await tx.run(insert, certificate)
  tx.append(entry)
  return 'done'
}

/** See `CertificateStore.issue`. Whatever is no longer intended must not leave. */
export async function issueCertificate(
  tx: Transaction,
  serial: string,
  x5t: string,
  entry: string,
): Promise<'done' | 'revoked'> {
  if ((await tx.run(issue, { serial, x5t })) === 0) return tx.refuse('revoked')
  tx.append(entry)
  return 'done'
}

/** See `CertificateStore.find`. */
export async function findCertificate(
  tx: Transaction,
  x5t: string,
): Promise<CertificateRow | undefined> {
  return await tx.first(findByX5t, { x5t })
}

/** See `CertificateStatusStore.findCertificates`; of every authority where `authority_id` is null. */
export async function findCertificatesBySerial(
  tx: Transaction,
  authority_id: string | null,
  ...serials: readonly string[]
): Promise<CertificateRow[]> {
  const rows: CertificateRow[] = []
  for (const serial of serials) {
    const row = await tx.first(findBySerial, { serial })
    if (row !== undefined && (authority_id ?? row.authority_id) === row.authority_id) rows.push(row)
  }
  return rows
}

/** See `CertificateStatusStore.listCertificates`. */
export async function listCertificates(tx: Transaction, limit: number): Promise<CertificateRow[]> {
  return await tx.all(newest, { limit })
}

/** See `CertificateStore.closeOrphans`. */
export async function closeOrphans(
  tx: Transaction,
  entryOf: { readonly type: string; readonly time: number; readonly actor: string },
): Promise<number> {
  const orphans = await tx.all(intended, {})
  for (const { serial, spiffe_id } of orphans) {
    await tx.run(close, { serial })
    const detail = { outcome: 'unknown', serial }
    tx.append(encodeAuditEntry({ ...entryOf, subject: spiffe_id, detail }))
  }
  return orphans.length
}
