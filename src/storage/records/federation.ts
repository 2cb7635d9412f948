import type { FederationRecord, FederationSummary } from '../../ports/federation.ts'
import type { FederationRow } from '../federation-rows.ts'

export function encodeFederation(federation: FederationRecord): FederationRow {
  return {
    trust_domain: federation.trustDomain,
    id: federation.id,
    url: federation.url,
    profile: federation.profile,
    endpoint_id: federation.endpointId,
    added_at: federation.addedAt,
    added_by: federation.addedBy,
    bundle: federation.bundle,
    bundle_sha256: federation.bundleSha256,
    bundle_sequence: federation.bundleSequence,
    bundle_refresh_seconds: federation.bundleRefreshSeconds,
    bundle_kept_at: federation.bundleKeptAt,
    failure: federation.failure,
    failed_at: federation.failedAt,
  }
}

export function parseFederation(row: FederationRow): FederationRecord {
  return { ...parseFederationSummary(row), bundle: row.bundle }
}

export function parseFederationSummary(row: Omit<FederationRow, 'bundle'>): FederationSummary {
  return {
    trustDomain: row.trust_domain,
    id: row.id,
    url: row.url,
    profile: row.profile as FederationRecord['profile'],
    endpointId: row.endpoint_id,
    addedAt: row.added_at,
    addedBy: row.added_by,
    bundleSha256: row.bundle_sha256,
    bundleSequence: row.bundle_sequence,
    bundleRefreshSeconds: row.bundle_refresh_seconds,
    bundleKeptAt: row.bundle_kept_at,
    failure: row.failure,
    failedAt: row.failed_at,
  }
}
