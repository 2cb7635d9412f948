import type { GeneralName } from './general-name.ts'

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const host = new RegExp(`^${label}(?:\\.${label})*$`, 'i')
const wildcardHost = new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`, 'i')
const scheme = /^[a-z][a-z0-9+.-]*:/i

/** Whether a name of a subject has the form of its kind. RFC 5280 §4.2.1.6. */
export function isWellFormedName(name: GeneralName): boolean {
  if (name.kind === 'dns') return wildcardHost.test(name.text) && name.text.length <= 253
  if (name.kind === 'email') return isMailbox(name.text)
  if (name.kind === 'uri') return scheme.test(name.text)
  return name.kind !== 'ip' || name.octets.length === 4 || name.octets.length === 16
}

/** Whether the base of a subtree has the form of its kind. RFC 5280 §4.2.1.10. */
export function isWellFormedConstraint(name: GeneralName): boolean {
  if (name.kind === 'dns') return name.text === '' || host.test(name.text)
  if (name.kind === 'email') return isMailbox(name.text) || isHostOrDomain(name.text)
  if (name.kind === 'uri') return isHostOrDomain(name.text)
  return name.kind !== 'ip' || isAddressWithMask(name.octets)
}

function isMailbox(text: string): boolean {
  const [local = '', domain = '', ...rest] = text.split('@')
  return local !== '' && host.test(domain) && rest.length === 0
}

/** A host, or all hosts below a domain, which begins with a period. */
function isHostOrDomain(text: string): boolean {
  return host.test(text.startsWith('.') ? text.slice(1) : text)
}

function isAddressWithMask(octets: Uint8Array): boolean {
  if (octets.length !== 8 && octets.length !== 32) return false
  const mask = octets.subarray(octets.length / 2)
  const bits = Array.from(mask, octet => octet.toString(2).padStart(8, '0')).join('')
  return !bits.includes('01')
}
