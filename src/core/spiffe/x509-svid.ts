import { X509Error } from '../x509/error.ts'
import { parseCertificate, type Certificate } from '../x509/certificate.ts'
import { PathError } from '../x509/path-error.ts'
import { verifyPath } from '../x509/path.ts'
import { parseSpiffeId, SpiffeError } from './spiffe-id.ts'
import { hasLeafPurposes, hasLeafUsage, urisOf } from './svid-leaf.ts'
import { SvidError } from './svid-error.ts'
import type { ParsedTrustBundle } from './trust-bundle.ts'

/** A trust bundle and whose it is, which it does not say itself: one is never looked at without the other. */
export interface TrustDomainBundle {
  readonly trustDomain: string
  readonly bundle: ParsedTrustBundle
}

const seal = Symbol('verified X509-SVID')

/** Who {@link verifyX509Svid} found somebody to be; that the key is theirs is shown by the handshake. */
export class VerifiedX509Svid {
  readonly #id: string
  readonly #certificate: Certificate

  constructor(key: typeof seal, id: string, certificate: Certificate) {
    if (key !== seal) throw new TypeError('made by verifyX509Svid alone')
    this.#id = id
    this.#certificate = certificate
  }

  /** SPIFFE ID, a text. */
  get id(): string {
    return this.#id
  }

  get certificate(): Certificate {
    return this.#certificate
  }
}

const longestChain = 10

/**
 * Verifies the certificate of a peer against the bundle of one trust domain: the rules for leaves, the trust domain of
 * its SPIFFE ID, and the path to an authority of the bundle. An empty bundle believes nobody.
 *
 * Whether it was revoked is not asked here: X509-SVIDs live for minutes or hours, and lists are the issuer's.
 *
 * @param chain DER, the peer's own certificate first; those after it are hints
 * @param now Unix milliseconds
 * @throws SvidError `x509-svid-malformed`, `x509-svid-name`, `x509-svid-usage`, `x509-svid-path`, `svid-domain`
 * @see X509-SVID §5
 */
export function verifyX509Svid(
  chain: readonly Uint8Array[],
  { trustDomain, bundle }: TrustDomainBundle,
  now: number,
): VerifiedX509Svid {
  const [leaf, ...intermediates] = parseChain(chain)
  if (leaf === undefined) throw new SvidError('x509-svid-malformed', { found: 'no certificate' })
  const id = readId(leaf)
  requireLeaf(leaf)
  if (parseSpiffeId(id).trustDomain !== trustDomain)
    throw new SvidError('svid-domain', { expected: trustDomain, found: id })
  try {
    verifyPath({ leaf, intermediates, anchors: bundle.x509Authorities, time: now })
  } catch (cause) {
    if (!(cause instanceof PathError)) throw cause
    throw new SvidError('x509-svid-path', { found: `${cause.code}: ${cause.found}`, cause })
  }
  return new VerifiedX509Svid(seal, id, leaf)
}

function parseChain(chain: readonly Uint8Array[]): Certificate[] {
  if (chain.length > longestChain)
    throw new SvidError('x509-svid-malformed', { expected: `at most ${longestChain} certificates` })
  try {
    return chain.map(parseCertificate)
  } catch (cause) {
    if (!(cause instanceof X509Error)) throw cause
    throw new SvidError('x509-svid-malformed', { cause })
  }
}

/** X509-SVID §5.2: one URI, and a SPIFFE ID with a path. */
function readId(leaf: Certificate): string {
  const uris = urisOf(leaf)
  const [id] = uris
  if (id === undefined || uris.length > 1)
    throw new SvidError('x509-svid-name', { found: `${uris.length} URIs` })
  try {
    parseSpiffeId(id)
  } catch (cause) {
    if (!(cause instanceof SpiffeError)) throw cause
    throw new SvidError('x509-svid-name', { cause })
  }
  return id
}

function requireLeaf(leaf: Certificate): void {
  if (leaf.fields.extensions.basicConstraints?.isAuthority === true)
    throw new SvidError('x509-svid-usage', { found: 'an authority' })
  if (!hasLeafUsage(leaf)) throw new SvidError('x509-svid-usage', { found: 'its key usage' })
  if (!hasLeafPurposes(leaf)) throw new SvidError('x509-svid-usage', { found: 'its purposes' })
}
