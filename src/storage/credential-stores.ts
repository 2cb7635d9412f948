import type { ClientStore, IssuedToken, TokenStore } from '../ports/client-store.ts'
import type { CertificateStore } from '../ports/certificate-store.ts'
import type { OpenedRequest } from '../ports/grant-requests.ts'
import { StoreError } from '../ports/store-error.ts'
import type { AuditStore } from '../ports/store.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { exactBytes } from './records/bytes.ts'
import { encodeGrantRequest } from './records/grant-request.ts'
import { encodeCertificate, parseCertificate } from './records/certificate.ts'
import { parseClient } from './records/client.ts'
import type { TokenRow } from './status-rows.ts'

/** The `CertificateStore` of any database. */
export function createCertificateStore(db: Executor): CertificateStore {
  return {
    intend: async (certificate, entry, challenge = null, hsmKey = null) => {
      const row = encodeCertificate(certificate)
      const { time } = entry
      return await db.execute(
        'intendCertificate',
        row,
        { challenge, hsmKey },
        time,
        encodeEntry(entry),
      )
    },
    issue: async (serial, { x5t, encoded }, entry) => {
      const issued = { serial, x5t, encoded: encoded === undefined ? null : exactBytes(encoded) }
      return await db.execute('issueCertificate', issued, encodeEntry(entry))
    },
    abandon: async (serial, entry) =>
      await db.execute('abandonCertificate', serial, encodeEntry(entry)),
    findRenewal: async (renewal, now) => {
      const row = await db.execute('findRenewal', renewal, now)
      return row && { ...parseCertificate(row), encoded: row.encoded }
    },
    find: async x5t => {
      const row = await db.execute('findCertificate', x5t)
      return row && parseCertificate(row)
    },
    closeOrphans: async ({ type, time, actor }) =>
      await db.execute('closeOrphans', { type, time, actor }),
  }
}

/** The `ClientStore` of any database. */
export function createClientStore(db: Executor): ClientStore {
  return {
    findByKey: async jkt => {
      const rows = await db.execute('findClientByKey', jkt)
      return rows && parseClient(rows)
    },
    act: async ({
      client,
      replayKeys,
      attestedUntil,
      entry,
      tokenId,
      x5t,
      issued,
      parents = [],
      approvals = [],
      opening,
    }) => {
      const { kind, id, jkt } = client
      const text = entry === undefined ? null : encodeEntry(entry)
      const keys = replayKeys.flatMap(({ key, expiresAt }) => [key, expiresAt])
      const links = parents.length === 0 ? null : JSON.stringify(parents)
      const act = {
        kind,
        id,
        jkt,
        parents: links,
        attestedUntil: attestedUntil ?? null,
        tokenId: tokenId ?? null,
        x5t: x5t ?? null,
        approvals: approvals.length === 0 ? null : JSON.stringify(approvals),
        opening: opening === undefined ? null : encodeOpening(opening),
      }
      const placed = issued === undefined ? null : encodePlace(issued, id)
      return await db.execute('act', act, text, placed, ...keys)
    },
  }
}

function encodeOpening({ record, limit, entry }: OpenedRequest) {
  return { request: encodeGrantRequest(record), limit, entry: encodeEntry(entry) }
}

function encodePlace(
  { list, index, jti, binding, expiresAt }: IssuedToken,
  subject_id: string,
): Omit<TokenRow, 'revoked_at' | 'revocation'> {
  return { list, idx: index, jti, subject_id, binding, expires_at: expiresAt }
}

/** The `TokenStore` of any database. */
export function createTokenStore(db: Executor): TokenStore {
  return {
    revoke: async (jti, expiresAt, entry, place) => {
      const at = place === undefined ? null : { list: place.list, idx: place.index }
      const by = { at: entry.time, author: entry.actor }
      return await db.execute('revokeToken', jti, expiresAt, at, by, encodeEntry(entry))
    },
    isRevoked: async jti => await db.execute('isTokenRevoked', jti),
  }
}

/** The `AuditStore` of any database. */
export function createAuditStore(db: Executor): AuditStore {
  return {
    append: async entry => await db.execute('appendEntry', encodeEntry(entry)),
    checkpoint: async () => {
      const checkpoint = (await db.execute('findLogState'))?.checkpoint ?? ''
      if (checkpoint === '') throw new StoreError('store-log-unsigned')
      return checkpoint
    },
    tile: async (level, index, width) => await db.execute('readTile', level, index, width),
    entryBundle: async (index, width) => await db.execute('readEntryBundle', index, width),
  }
}
