import { X509Certificate } from 'node:crypto'
import { allowedEndpoint } from '../core/spiffe/bundle-endpoint.ts'
import { SvidError } from '../core/spiffe/svid-error.ts'
import { verifyX509Svid } from '../core/spiffe/x509-svid.ts'
import type { BundleEndpoint, BundleFetch } from '../ports/bundle-fetch.ts'
import type { Clock } from '../ports/clock.ts'
import { OutboundError } from '../ports/outbound-error.ts'
import { fetchByPlan } from './fetch-location.ts'
import type { Network, ServerAuthentication } from './network.ts'

/** Which bundle endpoints may be asked. */
export interface BundleFetchLimits {
  /** Host names with their ports, as `URL.host` writes them. */
  readonly hosts: readonly string[]
  readonly timeoutSeconds: number
  /** PEM; in place of the authorities that this machine knows, for profile `https_web`. */
  readonly webAuthorities: readonly string[] | undefined
}

const maxBytes = 1024 * 1024

/**
 * Fetches trust bundles: TLS always, no credentials, redirections to the same hosts alone and under the same
 * authentication. Nothing is remembered: what is asked for is asked for.
 *
 * @see SPIFFE Federation §5.2.1.4, §5.2.2.4
 */
export function createBundleFetch(
  limits: BundleFetchLimits,
  network: Network,
  clock: Clock,
): BundleFetch {
  const { hosts, timeoutSeconds, webAuthorities } = limits
  const allow = (location: string): URL | undefined => allowedEndpoint(location, hosts)
  const web =
    webAuthorities === undefined ? {} : { authentication: { authorities: webAuthorities } }
  return {
    isAllowed: url => allow(url) !== undefined,
    fetch: async ({ url, svid }) => {
      const how = svid === undefined ? web : { authentication: authenticationOf(svid, clock) }
      const plan = { allow, timeoutSeconds, maxBytes, ...how }
      return decodeText(await fetchByPlan(url, plan, network))
    },
  }
}

/** By the X509-SVID of the endpoint, verified under the bundle; names of hosts count for nothing. */
function authenticationOf(
  { id, authorities }: NonNullable<BundleEndpoint['svid']>,
  clock: Clock,
): ServerAuthentication {
  return {
    authorities: authorities.bundle.x509Authorities.map(({ fields }) =>
      new X509Certificate(fields.encoded).toString(),
    ),
    verify: chain => {
      const svid = verifyX509Svid(chain, authorities, clock.now())
      if (svid.id !== id) throw new SvidError('x509-svid-name', { expected: id, found: svid.id })
    },
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new OutboundError('outbound-answer', { found: 'no UTF-8', cause })
  }
}
