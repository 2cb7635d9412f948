import type { TokenKeyRecord } from '../ports/token-key.ts'
import type { Settings } from './service.ts'
import { statusListSeconds } from './status-list-tokens.ts'

/**
 * Where a key that signs tokens stands. `announced`: published, signs from a time to come. `signing`: there is one.
 * `retiring`: signs no more, and is published until its last token is over. `over`: that time is past. `retired`: an
 * operator took it out.
 */
export type TokenKeyStanding = 'announced' | 'signing' | 'retiring' | 'over' | 'retired'

/** Clocks of relying parties and of this service may differ by so much. */
const clockSkewSeconds = 60
/** What a reader of the key set needs to fetch it, once its copy is too old. */
const fetchSeconds = 10

/** The keys of a moment, and until when nothing about them changes by itself. Times are Unix milliseconds. */
export interface TokenKeysAt {
  readonly signing: TokenKeyRecord | undefined
  /** In the order in which they sign; the announced one last. */
  readonly published: readonly TokenKeyRecord[]
  readonly until: number
}

/** @param records in the order in which they sign */
export function tokenKeysAt(records: readonly TokenKeyRecord[], now: number): TokenKeysAt {
  const published = records.filter(key => isPublished(key, now))
  const times = published.flatMap(key => [key.signsFrom, key.publishedUntil ?? Infinity])
  return {
    signing: published.findLast(({ signsFrom }) => signsFrom <= now),
    published,
    until: Math.min(...times.filter(time => time > now), Infinity),
  }
}

function isPublished({ withdrawnAt, publishedUntil }: TokenKeyRecord, now: number): boolean {
  return withdrawnAt === null && (publishedUntil ?? Infinity) > now
}

/** Where one of the keys stands at a moment. */
export function standingOf(
  key: TokenKeyRecord,
  records: readonly TokenKeyRecord[],
  now: number,
): TokenKeyStanding {
  if (key.withdrawnAt !== null) return 'retired'
  if (!isPublished(key, now)) return 'over'
  if (key.signsFrom > now) return 'announced'
  return tokenKeysAt(records, now).signing?.kid === key.kid ? 'signing' : 'retiring'
}

type Lifetimes = Pick<
  Settings,
  | 'attestation'
  | 'bundleRefreshSeconds'
  | 'certificateLifetimeSeconds'
  | 'keySetMaxAgeSeconds'
  | 'tokenMaxLifetimeSeconds'
>

/**
 * How long a new key is published before it signs: by then every copy of the key set, and of the trust bundle, that may
 * still be in use has it.
 */
export function announceSeconds(settings: Lifetimes): number {
  return Math.max(settings.keySetMaxAgeSeconds, settings.bundleRefreshSeconds) + fetchSeconds
}

/** How long a key is published after it signed for the last time: no longer does anything live that it signs. */
export function overlapSeconds(settings: Lifetimes): number {
  const longest = Math.max(
    settings.tokenMaxLifetimeSeconds,
    // WIT-SVIDs and client attestations live as certificates do.
    settings.certificateLifetimeSeconds,
    settings.attestation.validitySeconds,
    statusListSeconds,
  )
  return longest + clockSkewSeconds
}
