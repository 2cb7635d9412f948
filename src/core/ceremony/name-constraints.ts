import * as der from '../der/writer.ts'

/** Names that an authority may issue for; a kind without any is not constrained. */
export interface PermittedNames {
  /** Hosts of URIs: trust domains of SPIFFE IDs. */
  readonly uriHosts?: readonly string[] | undefined
  /** Domains, and what lies below them. */
  readonly dnsNames?: readonly string[] | undefined
}

/**
 *     NameConstraints ::= SEQUENCE { permittedSubtrees [0] GeneralSubtrees OPTIONAL, excludedSubtrees [1] … }
 *     GeneralSubtree ::= SEQUENCE { base GeneralName, minimum [0] DEFAULT 0 … }
 *
 * @throws TypeError where nothing is permitted
 * @see RFC 5280 §4.2.1.10
 */
export function encodeNameConstraints({
  uriHosts = [],
  dnsNames = [],
}: PermittedNames): Uint8Array {
  const names = [
    ...uriHosts.map(host => der.implicitPrimitive(6, Buffer.from(host, 'ascii'))),
    ...dnsNames.map(name => der.implicitPrimitive(2, Buffer.from(name, 'ascii'))),
  ]
  if (names.length === 0) throw new TypeError('a constraint permits something')
  return der.sequence(der.contextConstructed(0, ...names.map(name => der.sequence(name))))
}
