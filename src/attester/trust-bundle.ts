import {
  parseTrustBundle,
  requireNext,
  type ParsedTrustBundle,
} from '../core/spiffe/trust-bundle.ts'
import type { Home } from './home.ts'
import { findBundle, keepBundle, keepFetched, keepTold, rootsOf } from './kept-bundle.ts'
import type { ServiceClient } from './service-client.ts'

/** What following the bundle came to. */
export interface FollowedBundle {
  /** The one that the home keeps now. */
  readonly bundle: ParsedTrustBundle
  /** Whether it is another than the one before. */
  readonly isNew: boolean
}

/**
 * Fetches the service's trust bundle over a connection that the pinned root or the bundle before vouches for, and keeps
 * it where it is newer. Several processes of one home may do so at once: the latest bundle stays.
 *
 * @param client is given the new roots at once
 * @param now Unix milliseconds
 * @throws BundleError `bundle-malformed`, `bundle-older`, `bundle-differs`; ClientError, RemoteError, PrivateFileError,
 *   HomeError `home-malformed`
 * @see SPIFFE Trust Domain and Bundle §5.2.2
 */
export async function followBundle(
  home: Home,
  client: ServiceClient,
  now: number,
): Promise<FollowedBundle> {
  // Read first: what is fetched from here on cannot be older than what somebody kept before.
  const before = await findBundle(home)
  const text = Buffer.from((await client.readRaw('/v1/bundle')) ?? '').toString('utf8')
  const fetched = parseTrustBundle(text)
  if (before !== undefined) requireNext(fetched, before.bundle, { next: text, kept: before.text })
  const isNew = before?.bundle.sequence !== fetched.sequence
  if (isNew) await keepBundle(home, { bundle: fetched, text })
  await keepFetched(home, now)
  const bundle = (await findBundle(home))?.bundle ?? fetched
  await client.trust(rootsOf(bundle))
  return { bundle, isNew }
}

/**
 * Tells the service which bundle this host keeps: the next authority is activated when all hosts have said so.
 *
 * @param client of the host
 * @returns the sequence that was told; undefined where no bundle is kept
 * @throws ClientError, RemoteError, HomeError `home-malformed`
 */
export async function tellAdoption(home: Home, client: ServiceClient): Promise<number | undefined> {
  const kept = await findBundle(home)
  if (kept === undefined) return undefined
  const { sequence } = kept.bundle
  await client.trust(rootsOf(kept.bundle))
  await client.call('POST', '/v1/bundle/adoption', { sequence })
  await keepTold(home, sequence)
  return sequence
}
