const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

/**
 * The address of a connection as policies take it: an IPv4 address that came in an IPv6 one as itself, without a zone. Null
 * where there is none.
 *
 * @param address as the runtime names it
 * @see RFC 4291 §2.5.5.2, RFC 4007 §11; Cedar 4.5 §ipaddr
 */
export function sourceAddressOf(address: string | undefined): string | null {
  if (address === undefined) return null
  return mapped.exec(address)?.[1] ?? address.replace(/%.*$/, '')
}
