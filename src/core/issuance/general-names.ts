import * as der from '../der/writer.ts'

/** Names that a certificate can be given here. */
export interface SubjectNames {
  /** SPIFFE ID; comes first. */
  readonly uri?: string
  /** Host names and IP addresses by which callers reach a service. */
  readonly hosts?: readonly string[]
  /** DER Name. */
  readonly directory?: Uint8Array
}

/** GeneralNames (RFC 5280 §4.2.1.6). Throws TypeError where there is no name. */
export function encodeSubjectNames({ uri, hosts = [], directory }: SubjectNames): Uint8Array {
  const names = [
    ...(uri === undefined ? [] : [der.implicitPrimitive(6, Buffer.from(uri, 'ascii'))]),
    ...hosts.map(encodeHost),
    ...(directory === undefined ? [] : [der.contextConstructed(4, directory)]),
  ]
  if (names.length === 0) throw new TypeError('an alternative name names something')
  return der.sequence(...names)
}

/** dNSName or iPAddress (RFC 5280 §4.2.1.6). */
function encodeHost(name: string): Uint8Array {
  if (/^\d+(\.\d+){3}$/.test(name))
    return der.implicitPrimitive(7, Uint8Array.from(name.split('.').map(Number)))
  if (name.includes(':')) return der.implicitPrimitive(7, encodeIpv6(name))
  return der.implicitPrimitive(2, Buffer.from(name, 'ascii'))
}

function encodeIpv6(address: string): Uint8Array {
  // The zone of a link-local address is this machine's own affair.
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, '')}]`)
  const [head = '', tail = ''] = hostname.slice(1, -1).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  return Buffer.from(
    [...left, ...zeros, ...right].map(group => group.padStart(4, '0')).join(''),
    'hex',
  )
}
