import type { TokenKeyRecord } from '../../ports/token-key.ts'
import type { TokenKeyRow } from '../token-key-rows.ts'
import { exactBytes } from './bytes.ts'

export function encodeTokenKey(key: TokenKeyRecord): TokenKeyRow {
  return {
    kid: key.kid,
    public_key: exactBytes(key.publicKey),
    key_reference: key.keyReference,
    created_at: key.createdAt,
    created_by: key.createdBy,
    signs_from: key.signsFrom,
    published_until: key.publishedUntil,
    withdrawn_at: key.withdrawnAt,
    withdrawn_by: key.withdrawnBy,
    reason: key.reason,
  }
}

export function parseTokenKey(row: TokenKeyRow): TokenKeyRecord {
  return {
    kid: row.kid,
    publicKey: exactBytes(row.public_key),
    keyReference: row.key_reference,
    createdAt: row.created_at,
    createdBy: row.created_by,
    signsFrom: row.signs_from,
    publishedUntil: row.published_until,
    withdrawnAt: row.withdrawn_at,
    withdrawnBy: row.withdrawn_by,
    reason: row.reason,
  }
}
