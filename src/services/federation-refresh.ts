import { CodedError } from '../core/coded-error.ts'
import { parseSpiffeId } from '../core/spiffe/spiffe-id.ts'
import {
  parseTrustBundle,
  requireNext,
  type ParsedTrustBundle,
} from '../core/spiffe/trust-bundle.ts'
import type { BundleEndpoint } from '../ports/bundle-fetch.ts'
import type { FederationRecord, FederationSummary } from '../ports/federation.ts'
import { auditEntry } from './audit-entry.ts'
import { FederationError } from './federation-error.ts'
import { bundleOf, digestOf, findFederation, listFederations } from './federations.ts'
import type { Service } from './service.ts'

/** How often an endpoint is asked, whatever it says itself; and before it said anything. */
const askedAtMostEvery = 30
const askedAtLeastEvery = 86_400
const defaultRefreshSeconds = 300

/** When each relationship was asked for last, by its id: forgotten at a start, since asking once more does no harm. */
const askedAt = new WeakMap<Service, Map<string, number>>()

/**
 * Fetches the bundle of another trust domain and keeps it, where it is newer than the one that is kept. What was
 * refused is kept as the reason, in the log as well when it is another than before.
 *
 * @returns whether the bundle is another than before
 * @throws FederationError `federation-unknown`, `federation-not-followed`, `federation-superseded`
 * @see SPIFFE Federation §4.2, §6.2
 */
export async function refreshFederation(
  service: Service,
  actor: string,
  trustDomain: string,
): Promise<{ readonly isNew: boolean }> {
  const record = await findFederation(service, trustDomain)
  noteAsked(service, record)
  try {
    const text = await fetchBundle(service, record)
    const bundle = parseTrustBundle(text)
    requireLater(bundle, text, record)
    return await keep(service, actor, record, { bundle, text })
  } catch (cause) {
    if (!(cause instanceof CodedError) || cause.code === 'federation-superseded') throw cause
    await keepOutcome(service, actor, record, cause.code)
    const reason = cause.found === undefined ? cause.code : `${cause.code}: ${cause.found}`
    throw new FederationError('federation-not-followed', { found: reason, cause })
  }
}

/** Whichever profile: over a connection whose other end has shown that it is the endpoint. */
async function fetchBundle(service: Service, record: FederationRecord): Promise<string> {
  if (service.bundleFetch === undefined) throw new FederationError('federation-closed')
  const svid = record.endpointId === null ? undefined : await authoritiesOf(service, record)
  return await service.bundleFetch.fetch({ url: record.url, svid })
}

/** The bundle of the endpoint's own trust domain: that which is kept of this one, or of another. */
async function authoritiesOf(
  service: Service,
  record: FederationRecord,
): Promise<NonNullable<BundleEndpoint['svid']>> {
  const id = record.endpointId ?? ''
  const { trustDomain } = parseSpiffeId(id)
  const isSelfServing = trustDomain === record.trustDomain
  const text = isSelfServing ? record.bundle : await bundleOf(service, trustDomain).catch(absent)
  if (text === null) throw new FederationError('federation-endpoint-unknown', { found: id })
  return { id, authorities: { trustDomain, bundle: parseTrustBundle(text) } }
}

function absent(cause: unknown): null {
  if (cause instanceof FederationError) return null
  throw cause
}

function requireLater(next: ParsedTrustBundle, text: string, record: FederationRecord): void {
  if (record.bundle === null) return
  requireNext(next, { sequence: record.bundleSequence }, { next: text, kept: record.bundle })
}

async function keep(
  service: Service,
  actor: string,
  record: FederationRecord,
  { bundle, text }: { readonly bundle: ParsedTrustBundle; readonly text: string },
): Promise<{ readonly isNew: boolean }> {
  const { trustDomain, id, bundleSha256: basis } = record
  const bundleSha256 = digestOf(text)
  const detail = {
    sequence: bundle.sequence,
    bundle: bundleSha256,
    before: basis,
    x509Authorities: bundle.x509Authorities.length,
    jwtAuthorities: bundle.jwtAuthorities.length,
    witAuthorities: bundle.witAuthorities.length,
  }
  const entry = auditEntry(service, 'federation.followed', actor, trustDomain, detail)
  const at = service.clock.now()
  const followed = {
    bundle: text,
    bundleSha256,
    bundleSequence: bundle.sequence,
    bundleRefreshSeconds: bundle.refreshHintSeconds,
    basis,
    at,
  }
  const answer = await service.store.federations.keepBundle(id, followed, entry)
  if (answer === 'conflict' || answer === 'unknown')
    throw new FederationError('federation-superseded', { found: trustDomain })
  if (answer === 'known') await keepOutcome(service, actor, record, null)
  return { isNew: answer === 'done' }
}

async function keepOutcome(
  service: Service,
  actor: string,
  { id, trustDomain }: FederationRecord,
  failure: string | null,
): Promise<void> {
  const type = failure === null ? 'federation.recovered' : 'federation.failed'
  const detail = failure === null ? {} : { code: failure }
  const entry = auditEntry(service, type, actor, trustDomain, detail)
  await service.store.federations.keepFailure(id, { failure, at: service.clock.now() }, entry)
}

function noteAsked(service: Service, { id }: FederationRecord): void {
  const times = askedAt.get(service) ?? new Map<string, number>()
  askedAt.set(service, times.set(id, service.clock.now()))
}

/**
 * Refreshes every bundle whose own hint says that it is time; one that fails is asked for again when it is time again.
 *
 * @param report told of those that were not followed
 * @see SPIFFE Federation §4.1, §6.2
 */
export async function refreshDueFederations(
  service: Service,
  report: (trustDomain: string, cause: CodedError) => void,
): Promise<void> {
  const summaries = await listFederations(service)
  const due = summaries.filter(summary => isDue(service, summary))
  await Promise.all(
    due.map(async ({ trustDomain }) => {
      try {
        await refreshFederation(service, 'service', trustDomain)
      } catch (cause) {
        if (!(cause instanceof FederationError)) throw cause
        report(trustDomain, cause)
      }
    }),
  )
}

function isDue(service: Service, { id, bundleRefreshSeconds }: FederationSummary): boolean {
  const last = askedAt.get(service)?.get(id)
  if (last === undefined) return true
  const hint = bundleRefreshSeconds ?? defaultRefreshSeconds
  const seconds = Math.min(Math.max(hint, askedAtMostEvery), askedAtLeastEvery)
  return service.clock.now() - last >= seconds * 1000
}
