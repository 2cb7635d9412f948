import type { AuthorityRecord, AuthorityState, BundleAdoption } from '../../ports/authority.ts'
import type { AdoptionRow } from '../operations/bundle.ts'
import type { AuthorityRow } from '../authority-rows.ts'

export function encodeAuthority(authority: AuthorityRecord): AuthorityRow {
  return {
    id: authority.id,
    chain: JSON.stringify(authority.chain.map(der => Buffer.from(der).toString('base64url'))),
    root_id: authority.rootId,
    key_reference: authority.keyReference,
    state: authority.state,
    bundle_sequence: authority.bundleSequence,
    prepared_at: authority.preparedAt,
    prepared_by: authority.preparedBy,
    activated_at: authority.activatedAt,
    changed_at: authority.changedAt,
    changed_by: authority.changedBy,
    reason: authority.reason,
    key_destroyed_at: authority.keyDestroyedAt,
  }
}

export function parseAuthority(row: AuthorityRow): AuthorityRecord {
  const chain = JSON.parse(row.chain) as string[]
  return {
    id: row.id,
    chain: chain.map(der => new Uint8Array(Buffer.from(der, 'base64url'))),
    rootId: row.root_id,
    keyReference: row.key_reference,
    state: row.state as AuthorityState,
    bundleSequence: row.bundle_sequence,
    preparedAt: row.prepared_at,
    preparedBy: row.prepared_by,
    activatedAt: row.activated_at,
    changedAt: row.changed_at,
    changedBy: row.changed_by,
    reason: row.reason,
    keyDestroyedAt: row.key_destroyed_at,
  }
}

export function parseAdoption(row: AdoptionRow): BundleAdoption {
  return {
    hostId: row.id,
    name: row.name,
    sequence: row.sequence ?? 0,
    adoptedAt: row.adopted_at,
  }
}
