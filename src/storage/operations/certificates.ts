import type { IntentRefusal } from '../../ports/certificate-store.ts'
import { encodeAuditEntry } from '../../core/log/audit-entry.ts'
import type { CertificateRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { isIssuing } from './authorities.ts'
import { takeChallenge, type ChallengeUse } from './challenges.ts'
import { findStanding } from './standing.ts'
import { isHsmKeyRetired } from './hsm-keys.ts'

interface Issued {
  readonly serial: string
  readonly x5t: string
  /** DER; null where nobody will ask for it again. */
  readonly encoded: Uint8Array | null
}

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
    intended_at: is.intended_at,
    tbs_sha256: is.tbs_sha256,
    renewal: is.renewal,
  }),
)

const issue = statement<Issued>()((db, is) =>
  db
    .updateTable('certificates')
    .set({ status: 'issued', x5t: is.x5t, encoded: is.encoded })
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

const findByRenewal = statement<{ renewal: string }>()((db, is) =>
  db.selectFrom('certificates').selectAll().where('renewal', '=', is.renewal),
)

const freeRenewal = statement<{ renewal: string }>()((db, is) =>
  db.updateTable('certificates').set({ renewal: null }).where('renewal', '=', is.renewal),
)

const close = statement<{ serial: string }>()((db, is) =>
  db
    .updateTable('certificates')
    .set({ status: 'unknown', renewal: null })
    .where('serial', '=', is.serial)
    .where('status', '=', 'intended'),
)

/** How long a signature may be under way before another attempt takes its place. */
const longestSignatureMs = 120_000

interface IntentGrounds {
  /** What is taken with it; null where none is. */
  readonly challenge: ChallengeUse | null
  /** Thumbprint of the registered attestation key that vouched for the key; null where none did. */
  readonly hsmKey: string | null
}

/**
 * See `CertificateStore.intend`. The key must be the subject's present one.
 */
export async function intendCertificate(
  tx: Transaction,
  certificate: CertificateRow,
  { challenge, hsmKey }: IntentGrounds,
  at: number,
  entry: string,
): Promise<'done' | IntentRefusal> {
  const { renewal } = certificate
  if (renewal !== null && !(await claimRenewal(tx, renewal, at))) return tx.refuse('renewed')
  if (challenge !== null && typeof (await takeChallenge(tx, challenge, at)) === 'string')
    return tx.refuse('challenge-used')
  if (await isHsmKeyRetired(tx, hsmKey)) return tx.refuse('hsm-key-retired')
  const refusal = await refusalOf(tx, certificate)
  if (refusal !== undefined) return tx.refuse(refusal)
  await tx.run(insert, certificate)
  tx.append(entry)
  return 'done'
}

async function refusalOf(
  tx: Transaction,
  { subject_kind, subject_id, jkt, not_after, authority_id }: CertificateRow,
): Promise<IntentRefusal | undefined> {
  if (!(await isIssuing(tx, authority_id))) return 'authority-inactive'
  const standing = await findStanding(tx, subject_kind, jkt)
  if (standing?.subjectId !== subject_id || !standing.isActive) return 'subject-revoked'
  if (standing.attestedUntil === null || not_after > standing.attestedUntil)
    return 'attestation-expired'
  return standing.isRestarted ? 'attestation-outdated' : undefined
}

/** Whether nothing answers this renewal, or what did is of no use any more; that is let go of. */
async function claimRenewal(tx: Transaction, renewal: string, at: number): Promise<boolean> {
  const row = await tx.first(findByRenewal, { renewal })
  if (row === undefined) return true
  if (isAnswer(row, at)) return false
  if (row.status === 'intended') {
    await tx.run(close, row)
    const entry = {
      type: 'certificate.unknown',
      time: at,
      actor: 'service',
      subject: row.spiffe_id,
    }
    tx.append(encodeAuditEntry({ ...entry, detail: { outcome: 'unknown', serial: row.serial } }))
  }
  await tx.run(freeRenewal, { renewal })
  return true
}

/** Whether a row answers its renewal: issued and good, or about to be. */
function isAnswer({ status, not_after, intended_at }: CertificateRow, at: number): boolean {
  if (status === 'issued') return at < not_after
  return status === 'intended' && at < (intended_at ?? 0) + longestSignatureMs
}

/** See `CertificateStore.findRenewal`. */
export async function findRenewal(
  tx: Transaction,
  renewal: string,
  at: number,
): Promise<CertificateRow | undefined> {
  const row = await tx.first(findByRenewal, { renewal })
  return row !== undefined && isAnswer(row, at) ? row : undefined
}

/** See `CertificateStore.abandon`. */
export async function abandonCertificate(
  tx: Transaction,
  serial: string,
  entry: string,
): Promise<'done' | 'unchanged'> {
  if ((await tx.run(close, { serial })) === 0) return tx.refuse('unchanged')
  tx.append(entry)
  return 'done'
}

/** See `CertificateStore.issue`. Whatever is no longer intended must not leave. */
export async function issueCertificate(
  tx: Transaction,
  issued: Issued,
  entry: string,
): Promise<'done' | 'revoked'> {
  if ((await tx.run(issue, issued)) === 0) return tx.refuse('revoked')
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
