import { parseTrustBundle, type ParsedTrustBundle } from '../core/spiffe/trust-bundle.ts'
import { HomeError } from './home-error.ts'
import type { Home } from './home.ts'

/** The bundle that a home keeps. */
export interface KeptBundle {
  readonly bundle: ParsedTrustBundle
  /** As it was received. */
  readonly text: string
}

/** One file for each bundle, of which the last counts: whoever writes an earlier one late puts it behind. */
const pattern = /^bundle-\d{16}\.json$/
const fetchedFile = 'bundle.fetched'
const toldFile = 'bundle.adopted'
const mostReadings = 10

function nameOf(sequence: number): string {
  return `bundle-${String(sequence).padStart(16, '0')}.json`
}

/** The bundle of a home, or undefined before the first. Throws HomeError `home-malformed`. */
export async function findBundle(home: Home): Promise<KeptBundle | undefined> {
  for (let reading = 0; reading < mostReadings; reading += 1) {
    const newest = (await home.list(pattern)).at(-1)
    if (newest === undefined) return undefined
    const text = await home.readIfThere(newest)
    // One that is gone since made room for a later one.
    if (text !== undefined) return parseKept(home, newest, text)
  }
  throw new HomeError('home-malformed', { found: home.path(nameOf(0)) })
}

function parseKept(home: Home, name: string, text: string): KeptBundle {
  try {
    const bundle = parseTrustBundle(text)
    if (nameOf(bundle.sequence) === name) return { bundle, text }
  } catch (cause) {
    throw new HomeError('home-malformed', { found: home.path(name), cause })
  }
  throw new HomeError('home-malformed', { found: `${home.path(name)}: another sequence` })
}

/** Keeps a bundle, durable when it returns, and lets those before it go. */
export async function keepBundle(home: Home, { bundle, text }: KeptBundle): Promise<void> {
  const name = nameOf(bundle.sequence)
  await home.writeText(name, text)
  for (const other of await home.list(pattern)) if (other < name) await home.remove(other)
}

/** Keeps when the bundle was fetched, Unix milliseconds. */
export async function keepFetched(home: Home, now: number): Promise<void> {
  await home.writeText(fetchedFile, `${now}`)
}

/**
 * Whether the service would have us look again by now (`spiffe_refresh_hint`). What is not known is due.
 *
 * @throws HomeError `home-malformed`
 */
export async function isBundleDue(home: Home, now: number): Promise<boolean> {
  const kept = await findBundle(home)
  const fetchedAt = Number((await home.readIfThere(fetchedFile)) ?? Number.NaN)
  const age = now - fetchedAt
  return kept === undefined || !(age >= 0 && age < kept.bundle.refreshHintSeconds * 1000)
}

/** Keeps that the service was told of a bundle. */
export async function keepTold(home: Home, sequence: number): Promise<void> {
  await home.writeText(toldFile, `${sequence}`)
}

/** Whether the service was told of the bundle that the home keeps; true before there is one. */
export async function isBundleTold(home: Home): Promise<boolean> {
  const kept = await findBundle(home)
  return kept === undefined || (await home.readIfThere(toldFile)) === `${kept.bundle.sequence}`
}

/** DER of the roots of a bundle. */
export function rootsOf(bundle: ParsedTrustBundle): Uint8Array[] {
  return bundle.x509Authorities.map(({ fields }) => fields.encoded)
}
