import type { TrustDomainBundle } from '../core/spiffe/x509-svid.ts'

/** Where a trust bundle is fetched, and how the server there shows who it is. */
export interface BundleEndpoint {
  readonly url: string
  /** With profile `https_spiffe`: its SPIFFE ID, and the bundle that it is verified against; else by name. */
  readonly svid: { readonly id: string; readonly authorities: TrustDomainBundle } | undefined
}

/** Fetches the trust bundles of other trust domains from the hosts that the configuration names. */
export interface BundleFetch {
  /** Whether a bundle may be asked for there at all. */
  isAllowed(url: string): boolean
  /**
   * The text that the endpoint serves; what it is worth is the caller's to find out.
   *
   * @throws OutboundError
   */
  fetch(endpoint: BundleEndpoint): Promise<string>
}
