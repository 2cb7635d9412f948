import type { Deviation } from '../der/value.ts'
import { keyUsages, type Certificate } from './certificate.ts'
import { nameViolationOf } from './name-constraints.ts'
import { isEmptyName } from './name.ts'
import type { PathCode } from './path-rows.ts'
import { weaknessOf } from './public-key.ts'
import { hasRocaFingerprint } from './roca.ts'

/** What is let pass of the certificates below some anchors, each by name. */
export type Tolerance = Deviation | 'key-identifier-absent'

/** A rule that was broken, and what was found. */
export interface Violation {
  readonly code: PathCode
  readonly found: string
}

/** What a CA is called in a refusal; an end entity is not called by its name. */
export function labelOf(certificate: Certificate): string {
  if (certificate.fields.extensions.basicConstraints?.isAuthority !== true) return 'the certificate'
  const attributes = certificate.fields.subject.relativeNames.flat()
  const text =
    attributes.findLast(({ text: value }) => value !== undefined)?.text ?? 'a nameless authority'
  return `"${text.slice(0, 80)}"`
}

/** Why the algorithm of a certificate's signature is not accepted. RFC 5280 §4.1.1.2; verification A1. */
export function algorithmViolation({ fields }: Certificate): string | undefined {
  if (fields.algorithm === undefined) return 'an unknown signature algorithm'
  return fields.algorithm.isStrong ? undefined : fields.algorithm.name
}

/** Why an authority's key is not accepted. */
export function keyViolation(authority: Certificate): string | undefined {
  const { publicKey } = authority.fields
  if (publicKey.kind === 'unsupported') return publicKey.reason
  if (publicKey.kind === 'rsa' && publicKey.algorithm !== 'rsaEncryption')
    return 'a key for encryption'
  const weakness = weaknessOf(publicKey)
  if (weakness !== undefined) return weakness
  if (authority.key === undefined) return 'a point off its curve'
  const isRoca = publicKey.kind === 'rsa' && hasRocaFingerprint(publicKey.modulus)
  return isRoca ? 'a key that can be factored (CVE-2017-15361)' : undefined
}

/** A rule of an authority's own certificate that it breaks, whatever it issued. RFC 5280 §4.2.1.3, §4.2.1.9. */
export function authorityViolation(authority: Certificate, time: number): Violation | undefined {
  const { basicConstraints, keyUsage = 0 } = authority.fields.extensions
  if (basicConstraints?.isAuthority !== true)
    return { code: 'path-authority', found: 'no authority' }
  if (!authority.isCritical('2.5.29.19')) {
    return { code: 'path-authority', found: 'basic constraints that are not critical' }
  }
  if (isEmptyName(authority.fields.subject))
    return { code: 'path-authority', found: 'an empty name' }
  if ((keyUsage & keyUsages.keyCertSign) === 0) {
    return { code: 'path-key-usage', found: 'no right to sign certificates' }
  }
  return commonViolation(authority, time)
}

/** A rule that any certificate of a path can break. */
export function commonViolation(certificate: Certificate, time: number): Violation | undefined {
  const { unknownCritical } = certificate
  if (unknownCritical.length > 0) {
    return { code: 'path-extension', found: `the critical extension ${unknownCritical.join(', ')}` }
  }
  if (!isWithinValidity(certificate, time)) {
    return { code: 'path-validity', found: validityOf(certificate) }
  }
  return undefined
}

/** Both ends belong to it, and the last second to its end. RFC 5280 §4.1.2.5. */
export function isWithinValidity({ fields }: Certificate, time: number): boolean {
  return time >= fields.notBefore && time < fields.notAfter + 1000
}

/** The time for which a certificate was issued. */
export function validityOf({ fields }: Certificate): string {
  const [from, to] = [fields.notBefore, fields.notAfter].map(ms =>
    new Date(ms).toISOString().slice(0, 10),
  )
  return `valid from ${from} to ${to}`
}

/** A rule that an end entity breaks, beside its profile. RFC 5280 §4.2.1.3, §4.2.1.6. */
export function endEntityViolation(leaf: Certificate, time: number): Violation | undefined {
  const { basicConstraints, keyUsage = 0, subjectAlternativeName } = leaf.fields.extensions
  if (basicConstraints?.isAuthority !== true && (keyUsage & keyUsages.keyCertSign) !== 0) {
    return {
      code: 'path-key-usage',
      found: 'the right to sign certificates without being an authority',
    }
  }
  if (isEmptyName(leaf.fields.subject)) {
    if (subjectAlternativeName === undefined || !leaf.isCritical('2.5.29.17')) {
      return {
        code: 'path-extension',
        found: 'no name, or an alternative one that is not critical',
      }
    }
  }
  return commonViolation(leaf, time)
}

/** What in the path needs to be tolerated. RFC 5280 §4.2.1.1, §4.2.1.2 on key identifiers. */
export function neededTolerances(path: readonly Certificate[]): Set<Tolerance> {
  const needed = new Set<Tolerance>()
  for (const [index, certificate] of path.entries()) {
    for (const deviation of certificate.fields.deviations) needed.add(deviation)
    const { subjectKeyIdentifier, authorityKeyIdentifier } = certificate.fields.extensions
    const lacksOwn = index > 0 && subjectKeyIdentifier === undefined
    // Who issued the anchor is of no account: it was admitted.
    const lacksIssuers =
      index < path.length - 1 && authorityKeyIdentifier?.keyIdentifier === undefined
    if (lacksOwn || lacksIssuers) needed.add('key-identifier-absent')
  }
  return needed
}

/**
 * A rule that the path as a whole breaks.
 *
 * @param path the end entity first, the trust anchor last
 */
export function wholeViolation(
  path: readonly Certificate[],
  maxIntermediates: number,
  tolerated: ReadonlySet<Tolerance>,
): Violation | undefined {
  const intolerable = [...neededTolerances(path)].filter(need => !tolerated.has(need))
  if (intolerable.length > 0) return { code: 'path-encoding', found: intolerable.join(', ') }
  const long = lengthViolation(path, maxIntermediates)
  if (long !== undefined) return { code: 'path-length', found: long }
  const outside = nameViolationOf(path)
  return outside === undefined ? undefined : { code: 'path-name-constraints', found: outside }
}

/** Self-issued authorities do not count (RFC 5280 §4.2.1.9). */
function lengthViolation(path: readonly Certificate[], limit: number): string | undefined {
  let intermediates = 0
  for (const certificate of path.slice(1)) {
    const allowed = certificate.fields.extensions.basicConstraints?.pathLength ?? limit
    if (intermediates > Math.min(allowed, limit)) {
      return `${intermediates} authorities below ${labelOf(certificate)}`
    }
    if (!certificate.isSelfIssued) intermediates += 1
  }
  return undefined
}
