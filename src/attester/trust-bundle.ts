import {
  parseTrustBundle,
  requireNext,
  type ParsedTrustBundle,
} from '../core/spiffe/trust-bundle.ts'
import { HomeError } from './home-error.ts'
import type { Home } from './home.ts'
import type { ServiceClient } from './service-client.ts'

/** The bundle that a home keeps, and when it was fetched. */
export interface KeptBundle {
  readonly bundle: ParsedTrustBundle
  readonly text: string
  /** Unix milliseconds. */
  readonly fetchedAt: number
}

/** What following the bundle came to. */
export interface FollowedBundle {
  readonly bundle: ParsedTrustBundle
  /** Whether it is another than the one before. */
  readonly isNew: boolean
}

/** The file of a home; public, yet nobody else may change it. */
const file = 'bundle.json'
const fetchedFile = 'bundle.fetched'

/** The bundle of a home, or undefined before the first. Throws HomeError `home-malformed`. */
export async function findBundle(home: Home): Promise<KeptBundle | undefined> {
  const text = await home.readIfThere(file)
  if (text === undefined) return undefined
  try {
    const fetchedAt = Number((await home.readIfThere(fetchedFile)) ?? 0)
    return { bundle: parseTrustBundle(text), text, fetchedAt }
  } catch (cause) {
    throw new HomeError('home-malformed', { found: home.path(file), cause })
  }
}

/** Whether the service would have us look again by now (`spiffe_refresh_hint`). */
export function isBundleDue(kept: KeptBundle | undefined, now: number): boolean {
  if (kept === undefined) return true
  return now - kept.fetchedAt >= kept.bundle.refreshHintSeconds * 1000 || now < kept.fetchedAt
}

/**
 * Fetches the service's trust bundle over a connection that the pinned root or the bundle before vouches for, keeps it
 * where it is newer, and, for a host, tells the service so: only when the file is durable.
 *
 * @param client of the host where `isHost`; it is given the new roots at once
 * @throws BundleError `bundle-malformed`, `bundle-older`, `bundle-differs`; ClientError, RemoteError, PrivateFileError
 * @see SPIFFE Trust Domain and Bundle §5.2.2
 */
export async function followBundle(
  home: Home,
  client: ServiceClient,
  options: { readonly now: number; readonly isHost: boolean },
): Promise<FollowedBundle> {
  const text = Buffer.from((await client.readRaw('/v1/bundle')) ?? '').toString('utf8')
  const bundle = parseTrustBundle(text)
  const kept = await findBundle(home)
  if (kept !== undefined) requireNext(bundle, kept.bundle, { next: text, kept: kept.text })
  const isNew = kept?.bundle.sequence !== bundle.sequence
  if (isNew) await home.writeText(file, text)
  await home.writeText(fetchedFile, `${options.now}`)
  await client.trust(rootsOf(bundle))
  if (options.isHost)
    await client.call('POST', '/v1/bundle/adoption', { sequence: bundle.sequence })
  return { bundle, isNew }
}

/** DER of the roots of a bundle. */
export function rootsOf(bundle: ParsedTrustBundle): Uint8Array[] {
  return bundle.x509Authorities.map(({ fields }) => fields.encoded)
}
