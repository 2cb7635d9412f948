import type { Certificate } from './certificate.ts'
import type { GeneralName, GeneralNameKind } from './general-name.ts'
import { isEmptyName, isWithinName } from './name.ts'

/** Comparisons of one path; more are an attack (CVE-2023-33170 and its like). */
const comparisonLimit = 100_000

const emailAddress = '1.2.840.113549.1.9.1'

/**
 * Why a name of the path lies outside what an authority above it may issue for; undefined where none does. An
 * authority's constraints hold for every certificate below it but the self-issued ones that are not the last.
 *
 * @param path the end entity first, the trust anchor last
 * @see RFC 5280 §4.2.1.10, §6.1.3 (b), (c), §6.1.4 (g)
 */
export function nameViolationOf(path: readonly Certificate[]): string | undefined {
  let comparisons = 0
  for (const [index, authority] of path.entries()) {
    const constraints = authority.fields.extensions.nameConstraints
    if (constraints === undefined) continue
    const isMisplaced = authority.fields.extensions.basicConstraints?.isAuthority !== true
    if (isMisplaced || !authority.isCritical('2.5.29.30'))
      return 'constraints that must not be there, or be critical'
    for (const [below, certificate] of path.slice(0, index).entries()) {
      if (below > 0 && certificate.isSelfIssued) continue
      const names = namesOf(certificate)
      comparisons += names.length * (constraints.permitted.length + constraints.excluded.length)
      if (comparisons > comparisonLimit) return 'more names and constraints than are compared'
      const violation = names.find(name => !isAllowed(name, constraints))
      if (violation !== undefined) return `a name of kind ${violation.kind}`
    }
  }
  return undefined
}

/** What constraints are held against: the subject, its alternative names, and else the e-mail address in the subject. */
function namesOf({ fields }: Certificate): GeneralName[] {
  const alternative = fields.extensions.subjectAlternativeName ?? []
  const subject: GeneralName[] = isEmptyName(fields.subject)
    ? []
    : [{ kind: 'directory', name: fields.subject }]
  if (alternative.some(({ kind }) => kind === 'email')) return [...subject, ...alternative]
  const addresses = fields.subject.relativeNames
    .flat()
    .filter(({ type }) => type === emailAddress)
    .map(({ text = '' }): GeneralName => ({ kind: 'email', text }))
  return [...subject, ...alternative, ...addresses]
}

interface Subtrees {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

/** How a name is held against the base of a subtree of its own kind. */
type Comparison = (name: GeneralName, base: GeneralName, isExclusion: boolean) => boolean

function isAllowed(name: GeneralName, { permitted, excluded }: Subtrees): boolean {
  const bases = permitted.filter(({ kind }) => kind === name.kind)
  const exclusions = excluded.filter(({ kind }) => kind === name.kind)
  if (bases.length + exclusions.length === 0) return true
  const compare = comparisons[name.kind]
  // A kind that cannot be compared is outside of any constraint on it (RFC 5280 §4.2.1.10).
  if (compare === undefined || (name.kind === 'uri' && hostOf(name.text) === undefined))
    return false
  if (exclusions.some(base => compare(name, base, true))) return false
  return bases.length === 0 || bases.some(base => compare(name, base, false))
}

const comparisons: Partial<Record<GeneralNameKind, Comparison>> = {
  directory: (name, base) =>
    name.kind === 'directory' && base.kind === 'directory' && isWithinName(name.name, base.name),
  dns: (name, base, isExclusion) => isWithinDomain(textOf(name), textOf(base), isExclusion),
  email: (name, base) => isWithinMail(textOf(name), textOf(base)),
  uri: (name, base) => isWithinUri(textOf(name), textOf(base)),
  ip: (name, base) =>
    name.kind === 'ip' && base.kind === 'ip' && isWithinNetwork(name.octets, base.octets),
}

function textOf(name: GeneralName): string {
  return 'text' in name ? name.text : ''
}

/** A wildcard lies within a domain with all it stands for, and is excluded with the least of it (CVE-2025-61727). */
function isWithinDomain(name: string, base: string, isExclusion: boolean): boolean {
  const [host, domain] = [name.toLowerCase(), base.toLowerCase()]
  const isWildcard = host.startsWith('*.')
  const suffix = isWildcard ? host.slice(2) : host
  if (isBelowOrSame(suffix, domain)) return true
  return isExclusion && isWildcard && isBelowOrSame(domain, suffix)
}

function isBelowOrSame(host: string, domain: string): boolean {
  return domain === '' || host === domain || host.endsWith(`.${domain}`)
}

function isWithinMail(name: string, base: string): boolean {
  const at = name.lastIndexOf('@')
  const host = name.slice(at + 1).toLowerCase()
  const baseAt = base.lastIndexOf('@')
  if (baseAt < 0) return isWithinHost(host, base.toLowerCase())
  const sameHost = host === base.slice(baseAt + 1).toLowerCase()
  return sameHost && name.slice(0, at) === base.slice(0, baseAt)
}

function isWithinUri(name: string, base: string): boolean {
  const host = hostOf(name)
  return host !== undefined && isWithinHost(host, base.toLowerCase())
}

/** Undefined where a URI names no host, or one by its address. */
function hostOf(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(uri)?.[1] ?? ''
  const host = authority.replace(/^.*@/, '').replace(/:\d*$/, '').toLowerCase()
  return host === '' || host.startsWith('[') || /^[\d.]+$/.test(host) ? undefined : host
}

function isWithinHost(host: string, base: string): boolean {
  return base.startsWith('.') ? host.endsWith(base) : host === base
}

function isWithinNetwork(address: Uint8Array, network: Uint8Array): boolean {
  const width = network.length / 2
  if (address.length !== width) return false
  return address.every((octet, i) => {
    const mask = network[width + i] ?? 0
    return (octet & mask) === ((network[i] ?? 0) & mask)
  })
}
