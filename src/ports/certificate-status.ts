import type { RevokedCertificate } from '../core/revocation/revoked-certificate.ts'
import type { CertificateRecord } from './credential-records.ts'
import type { AuditEntry } from './records.ts'

/** One of the lists of an authority. */
export interface ListPlace {
  /** As `AuthorityRecord.id`. */
  readonly authorityId: string
  readonly shard: number
}

/** What a list shows of a published revocation list. */
export interface CertificateListSummary extends ListPlace {
  /** CRL number (RFC 5280 §5.2.3). */
  readonly number: number
  readonly thisUpdate: number
  readonly nextUpdate: number
  /** Certificates on it. */
  readonly revoked: number
  /** Lower-case hex SHA-256 of its bytes. */
  readonly sha256: string
}

/** A revocation list of our own as it is published and kept. */
export interface CertificateListRecord extends CertificateListSummary {
  /** Of its certificates those that were not over at `thisUpdate`: more by now, and it is to be made anew. */
  readonly counted: number
  /** DER. */
  readonly bytes: Uint8Array
}

/** What a list that is to be made holds. */
export interface ListDraft {
  /** Set aside for this list alone. */
  readonly number: number
  readonly revoked: readonly RevokedCertificate[]
  readonly counted: number
}

/** What is told of certificates: revocation lists, and single ones. Each method is one transaction. */
export interface CertificateStatusStore {
  /**
   * Sets a number aside and reads what the list with it holds, at one moment: of two numbers the higher one knows
   * whatever the lower one does. A certificate whose time is over is on one more list.
   */
  draft(place: ListPlace, at: number): Promise<ListDraft>
  /** Keeps a list in place of the one before; `'older'` where one with a higher number is kept by now. */
  publish(list: CertificateListRecord, entry: AuditEntry): Promise<'done' | 'older'>
  /** The published list. */
  find(place: ListPlace): Promise<CertificateListRecord | undefined>
  /** Every published list, without bytes. */
  list(): Promise<CertificateListSummary[]>
  /** Of an authority, the lists that do not tell every revocation, or that are to be told anew before `dueBefore`. */
  listDue(authorityId: string, dueBefore: number, shards: number): Promise<readonly number[]>
  findCertificate(serial: string): Promise<CertificateRecord | undefined>
  /** Those of an authority among serial numbers. */
  findCertificates(
    authorityId: string,
    serials: readonly string[],
  ): Promise<readonly CertificateRecord[]>
  /** The newest ones. */
  listCertificates(limit: number): Promise<readonly CertificateRecord[]>
}
