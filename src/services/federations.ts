import { createHash } from 'node:crypto'
import type { BundleProfile } from '../core/spiffe/bundle-endpoint.ts'
import { isTrustDomain, parseSpiffeId } from '../core/spiffe/spiffe-id.ts'
import { parseTrustBundle } from '../core/spiffe/trust-bundle.ts'
import type { FederationRecord, FederationSummary } from '../ports/federation.ts'
import { OutboundError } from '../ports/outbound-error.ts'
import { auditEntry } from './audit-entry.ts'
import { FederationError } from './federation-error.ts'
import type { Service } from './service.ts'
import { trustBundle } from './trust-bundle.ts'

/** What an operator says of another trust domain. */
export interface FederationRequest {
  readonly trustDomain: string
  readonly url: string
  readonly profile: BundleProfile
  /** SPIFFE ID of the endpoint, for `https_spiffe`. */
  readonly endpointId: string | undefined
  /** The bundle to begin with, a text, which the operator has over another channel. */
  readonly bundle: string | undefined
}

/**
 * Begins to follow the bundle of another trust domain. Nothing is asked of its endpoint yet.
 *
 * @throws FederationError `federation-exists`, `federation-own`, `federation-parameters`, `federation-closed`;
 *   OutboundError `outbound-location`; BundleError `bundle-malformed`
 * @see SPIFFE Federation §5.1, §6.1
 */
export async function addFederation(
  service: Service,
  actor: string,
  request: FederationRequest,
): Promise<FederationRecord> {
  requireParameters(service, request)
  requireReachable(service, request.url)
  const { trustDomain, url, profile, endpointId = null, bundle = null } = request
  const at = service.clock.now()
  const parsed = bundle === null ? undefined : parseTrustBundle(bundle)
  const sequence = parsed?.sequence ?? 0
  const sha256 = bundle === null ? null : digestOf(bundle)
  const record: FederationRecord = {
    trustDomain,
    id: Buffer.from(service.random.bytes(16)).toString('base64url'),
    url,
    profile,
    endpointId,
    addedAt: at,
    addedBy: actor,
    bundle,
    bundleSha256: sha256,
    bundleSequence: sequence,
    bundleRefreshSeconds: parsed?.refreshHintSeconds ?? null,
    bundleKeptAt: bundle === null ? null : at,
    failure: null,
    failedAt: null,
  }
  const detail = { url, profile, endpointId, bundle: sha256, sequence }
  const entry = auditEntry(service, 'federation.added', actor, trustDomain, detail)
  const answer = await service.store.federations.add(record, entry)
  if (answer === 'exists') throw new FederationError('federation-exists', { found: trustDomain })
  return record
}

/** Lower-case hex SHA-256 of a bundle's text. */
export function digestOf(bundle: string): string {
  return createHash('sha256').update(bundle).digest('hex')
}

function requireParameters(service: Service, request: FederationRequest): void {
  const { trustDomain, profile, endpointId, bundle } = request
  if (trustDomain === service.settings.trustDomain)
    throw new FederationError('federation-own', { found: trustDomain })
  const refuse = (expected: string): FederationError =>
    new FederationError('federation-parameters', { expected })
  if (!isTrustDomain(trustDomain)) throw refuse('a trust domain')
  if (profile === 'https_web') {
    if (endpointId !== undefined) throw refuse('no SPIFFE ID of the endpoint with https_web')
    return
  }
  if (endpointId === undefined) throw refuse('the SPIFFE ID of the endpoint')
  const isSelfServing = parseSpiffeId(endpointId).trustDomain === trustDomain
  if (isSelfServing && bundle === undefined) throw refuse('the bundle to begin with')
}

function requireReachable({ bundleFetch }: Service, url: string): void {
  if (bundleFetch === undefined) throw new FederationError('federation-closed')
  if (bundleFetch.isAllowed(url)) return
  const host = URL.canParse(url) ? new URL(url).host : ''
  throw new OutboundError('outbound-location', { found: host })
}

/**
 * Ends a relationship: its bundle is gone, and nobody is told of it any more.
 *
 * @throws FederationError `federation-unknown`
 * @see SPIFFE Federation §6.3
 */
export async function removeFederation(
  service: Service,
  actor: string,
  trustDomain: string,
  reason: string,
): Promise<void> {
  const entry = auditEntry(service, 'federation.removed', actor, trustDomain, { reason })
  const answer = await service.store.federations.remove(trustDomain, entry)
  if (answer === 'unknown') throw new FederationError('federation-unknown', { found: trustDomain })
}

/** One relationship. Throws FederationError `federation-unknown`. */
export async function findFederation(
  service: Service,
  trustDomain: string,
): Promise<FederationRecord> {
  const record = await service.store.federations.find(trustDomain)
  if (record === undefined) throw new FederationError('federation-unknown', { found: trustDomain })
  return record
}

/** All relationships, by trust domain. */
export async function listFederations(service: Service): Promise<FederationSummary[]> {
  return await service.store.federations.list()
}

/** A relationship as the API lists it. */
export function federationSummaryView(summary: FederationSummary): Record<string, unknown> {
  const { id: _id, ...shown } = summary
  return shown
}

/** A relationship as the API shows it; of the bundle how many authorities are in it, and its digest. */
export function federationView({ bundle, ...summary }: FederationRecord): Record<string, unknown> {
  const shown = federationSummaryView(summary)
  if (bundle === null) return { ...shown, authorities: null }
  const { x509Authorities, jwtAuthorities, witAuthorities } = parseTrustBundle(bundle)
  const authorities = {
    x509: x509Authorities.length,
    jwt: jwtAuthorities.length,
    wit: witAuthorities.length,
  }
  return { ...shown, authorities }
}

/**
 * The bundle of one trust domain, this one or another, as it was received: for those who verify SVIDs.
 *
 * @throws FederationError `federation-bundle-absent`
 */
export async function bundleOf(service: Service, trustDomain: string): Promise<string> {
  if (trustDomain === service.settings.trustDomain)
    return JSON.stringify(await trustBundle(service))
  const record = await service.store.federations.find(trustDomain)
  const bundle = record?.bundle ?? null
  if (bundle === null)
    throw new FederationError('federation-bundle-absent', { found: trustDomain.slice(0, 255) })
  return bundle
}

/**
 * The bundles of all trust domains, each under the name of its own and never merged: a SPIFFE bundle map.
 *
 * @see SPIFFE Federation §4.2; gRFC A87
 */
export async function bundleMap(service: Service): Promise<string> {
  const summaries = await listFederations(service)
  const kept = summaries.filter(({ bundleSha256 }) => bundleSha256 !== null)
  const names = [service.settings.trustDomain, ...kept.map(({ trustDomain }) => trustDomain)]
  const members = await Promise.all(names.map(async name => await memberOf(service, name)))
  return `{"trust_domains":{${members.flat().join(',')}}}`
}

/** Nothing for one that ended meanwhile. */
async function memberOf(service: Service, trustDomain: string): Promise<string[]> {
  try {
    return [`${JSON.stringify(trustDomain)}:${await bundleOf(service, trustDomain)}`]
  } catch (cause) {
    if (cause instanceof FederationError) return []
    throw cause
  }
}
