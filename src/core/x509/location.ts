/** Where issuers' certificates and lists may be fetched from: the operator's word. */
export interface LocationRule {
  /** Host names, exactly. */
  readonly hosts: readonly string[]
}

/**
 * The URL of a location that a certificate names, where it may be fetched; undefined for every other: another host, an
 * address instead of a name, another scheme than http and https (http is enough: what comes back is signed), a port
 * or credentials. Spaces, which some makers have in theirs, are encoded. The fetcher must hold every redirection
 * against this again, and refuse hosts whose names lead to private addresses.
 *
 * @see RFC 5280 §4.2.2.1, §8; verification E10
 */
export function allowedLocation(text: string, { hosts }: LocationRule): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return undefined
  const isPlain = url.username === '' && url.password === '' && url.port === ''
  const isWeb = url.protocol === 'http:' || url.protocol === 'https:'
  // What a URL parser takes for an address it writes in these forms alone.
  const isAddress = /^[\d.]+$|^\[/.test(url.hostname)
  return isPlain && isWeb && !isAddress && hosts.includes(url.hostname) ? url : undefined
}
