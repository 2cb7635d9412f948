/** How a bundle endpoint shows who it is (SPIFFE Federation §5.2). */
export const bundleProfiles = ['https_web', 'https_spiffe'] as const

export type BundleProfile = (typeof bundleProfiles)[number]

/** Whether a text is a host, with its port where it is not 443, in the one form that URLs have it. */
export function isUrlHost(text: string): boolean {
  const url = `https://${text}`
  return URL.canParse(url) && new URL(url).host === text
}

/**
 * The URL of a bundle endpoint, where bundles may be fetched from it; undefined for every other: another scheme than
 * https, credentials, a fragment, a host (with its port, where it has one) that is not in the list.
 *
 * @param hosts as `URL.host` writes them
 * @see SPIFFE Federation §5.2.1.1, §5.2.2.1
 */
export function allowedEndpoint(text: string, hosts: readonly string[]): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return undefined
  const isPlain = url.username === '' && url.password === '' && url.hash === ''
  return url.protocol === 'https:' && isPlain && hosts.includes(url.host) ? url : undefined
}
