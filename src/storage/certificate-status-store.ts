import type { RevocationReason } from '../core/status/revocation-reason.ts'
import type {
  CertificateListRecord,
  CertificateListSummary,
  CertificateStatusStore,
  ListPlace,
} from '../ports/certificate-status.ts'
import type { CertificateListRow } from './certificate-list-rows.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import type { ListEntryRow } from './operations/certificate-lists.ts'
import { parseCertificate } from './records/certificate.ts'

/** The `CertificateStatusStore` of any database. */
export function createCertificateStatusStore(db: Executor): CertificateStatusStore {
  return {
    draft: async (place, at) => {
      const draft = await db.execute('draftCertificateList', encodePlace(place), at)
      const { number, counted, entries } = draft
      return { number, counted, revoked: entries.map(parseEntry) }
    },
    publish: async (list, entry) =>
      await db.execute('publishCertificateList', encodeList(list), encodeEntry(entry)),
    find: async place => {
      const row = await db.execute('findCertificateList', encodePlace(place))
      return row && { ...parseSummary(row), counted: row.counted, bytes: row.bytes }
    },
    list: async () => (await db.execute('listCertificateLists')).map(parseSummary),
    listDue: async (authorityId, dueBefore, shards) =>
      await db.execute('listDueCertificateLists', authorityId, dueBefore, shards),
    findCertificate: async serial => {
      const [row] = await db.execute('findCertificatesBySerial', null, serial)
      return row && parseCertificate(row)
    },
    findCertificates: async (authorityId, serials) =>
      (await db.execute('findCertificatesBySerial', authorityId, ...serials)).map(parseCertificate),
    listCertificates: async limit =>
      (await db.execute('listCertificates', limit)).map(parseCertificate),
  }
}

function encodePlace({ authorityId, shard }: ListPlace): { authority_id: string; shard: number } {
  return { authority_id: authorityId, shard }
}

function encodeList(list: CertificateListRecord): CertificateListRow {
  return {
    ...encodePlace(list),
    last_number: list.number,
    number: list.number,
    this_update: list.thisUpdate,
    next_update: list.nextUpdate,
    revoked: list.revoked,
    counted: list.counted,
    sha256: list.sha256,
    bytes: list.bytes,
  }
}

function parseSummary(
  row: Omit<CertificateListRow, 'last_number' | 'counted' | 'bytes'>,
): CertificateListSummary {
  return {
    authorityId: row.authority_id,
    shard: row.shard,
    number: row.number,
    thisUpdate: row.this_update,
    nextUpdate: row.next_update,
    revoked: row.revoked,
    sha256: row.sha256,
  }
}

function parseEntry({ serial, revoked_at, revocation_reason }: ListEntryRow): {
  serial: string
  revokedAt: number
  reason: RevocationReason
} {
  const reason = (revocation_reason ?? 'unspecified') as RevocationReason
  return { serial, revokedAt: revoked_at ?? 0, reason }
}
