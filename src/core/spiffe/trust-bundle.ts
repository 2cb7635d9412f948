import { parseBase64 } from '../log/base64.ts'
import { parsePublicJwk, type PublicJwk } from '../jose/jwk.ts'
import { parseUniqueJson } from '../json/unique-members.ts'
import { parseCertificate, type Certificate } from '../x509/certificate.ts'
import { BundleError } from './bundle-error.ts'

/** A key that verifies tokens of a trust domain. */
export interface BundleKey {
  readonly kid: string
  readonly jwk: PublicJwk
}

/** What a trust domain says of itself; its author is to be known from elsewhere. */
export interface ParsedTrustBundle {
  /** Grows with each change; 0 where it does not say. */
  readonly sequence: number
  readonly refreshHintSeconds: number
  /** Roots of X509-SVIDs. With none of these and none of the others, nothing of the trust domain is believed. */
  readonly x509Authorities: readonly Certificate[]
  readonly jwtAuthorities: readonly BundleKey[]
  readonly witAuthorities: readonly BundleKey[]
}

const longest = 1024 * 1024
const mostKeys = 1000
const defaultRefreshSeconds = 300
const longestRefreshSeconds = 366 * 86_400

/**
 * Reads a trust bundle. Entries of a use that is not known, or of none, are left out, and token keys on curves that are
 * not verified here: what they signed is refused for want of a key. An empty key set is a bundle that trusts nothing.
 *
 * @throws BundleError `bundle-malformed`
 * @see SPIFFE Trust Domain and Bundle §4; X509-SVID §6.1, JWT-SVID §6
 */
export function parseTrustBundle(text: string): ParsedTrustBundle {
  const bundle = parseObject(text)
  const { keys } = bundle
  if (!Array.isArray(keys) || keys.length > mostKeys)
    throw malformed(`keys: an array of at most ${mostKeys}`)
  const entries = keys.map(parseEntry)
  const ofUse = (use: string): Entry[] => entries.filter(entry => entry['use'] === use)
  return {
    sequence: wholeNumber(bundle, 'spiffe_sequence', 0, Number.MAX_SAFE_INTEGER),
    refreshHintSeconds: wholeNumber(
      bundle,
      'spiffe_refresh_hint',
      defaultRefreshSeconds,
      longestRefreshSeconds,
    ),
    x509Authorities: ofUse('x509-svid').flatMap(parseRoots),
    jwtAuthorities: parseTokenKeys(ofUse('jwt-svid')),
    witAuthorities: parseTokenKeys(ofUse('wit-svid')),
  }
}

type Entry = Readonly<Record<string, unknown>>

function parseObject(text: string): Entry {
  if (text.length > longest) throw malformed(`at most ${longest} characters`)
  let value: unknown
  try {
    value = parseUniqueJson(text)
  } catch (cause) {
    throw new BundleError('bundle-malformed', { expected: 'JSON without a member twice', cause })
  }
  return parseEntry(value)
}

function parseEntry(value: unknown): Entry {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw malformed('a JSON object')
  return value as Entry
}

function wholeNumber(bundle: Entry, name: string, absent: number, most: number): number {
  const value = bundle[name] ?? absent
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most)
    throw malformed(`${name}: a whole number up to ${most}`)
  return value
}

/**
 * X509-SVID §6.1, §6.2: the first certificate, named by nothing else; an entry without certificate is left out, as are
 * further ones.
 */
function parseRoots({ x5c, kid }: Entry): Certificate[] {
  const [first] = Array.isArray(x5c) ? (x5c as unknown[]) : []
  if (first === undefined) return []
  const der = typeof first === 'string' ? parseBase64(first) : undefined
  if (der === undefined || kid !== undefined)
    throw malformed('x509-svid: standard base64 in x5c, and no kid')
  try {
    return [parseCertificate(der)]
  } catch (cause) {
    throw new BundleError('bundle-malformed', { expected: 'x5c: a certificate', cause })
  }
}

function parseTokenKeys(entries: readonly Entry[]): BundleKey[] {
  const kids = entries.map(({ kid }) => kid)
  if (kids.some(kid => typeof kid !== 'string' || kid === '') || new Set(kids).size < kids.length)
    throw malformed('a kid of its own for each token key')
  return entries
    .filter(({ kty, crv }) => kty === 'EC' && (crv === 'P-256' || crv === 'P-384'))
    .map(entry => ({ kid: String(entry['kid']), jwk: parseKey(entry) }))
}

function parseKey({ use: _use, ...jwk }: Entry): PublicJwk {
  try {
    return parsePublicJwk(jwk)
  } catch (cause) {
    throw new BundleError('bundle-malformed', { expected: 'a public key', cause })
  }
}

function malformed(expected: string): BundleError {
  return new BundleError('bundle-malformed', { expected })
}

/**
 * Holds the next bundle of a trust domain against the one that is kept: never back, and never two of one number. Of
 * bundles without number the one that was fetched last counts (SPIFFE Federation §4.2).
 *
 * @param texts both as they were received
 * @throws BundleError `bundle-older`, `bundle-differs`
 * @see SPIFFE Trust Domain and Bundle §4.1.1
 */
export function requireNext(
  next: Pick<ParsedTrustBundle, 'sequence'>,
  kept: Pick<ParsedTrustBundle, 'sequence'>,
  texts: { readonly next: string; readonly kept: string },
): void {
  const facts = { expected: `${kept.sequence} or later`, found: `${next.sequence}` }
  if (next.sequence < kept.sequence) throw new BundleError('bundle-older', facts)
  if (next.sequence > 0 && next.sequence === kept.sequence && texts.next !== texts.kept)
    throw new BundleError('bundle-differs', { found: `two of sequence ${next.sequence}` })
}
