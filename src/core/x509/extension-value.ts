import { DerError } from '../der/error.ts'
import { nonEmpty } from '../der/list.ts'
import type { DerReader } from '../der/reader.ts'
import { constructedContextTag, contextTag, TAG } from '../der/tag.ts'
import {
  readDefaultFalse,
  readInteger,
  readNamedBits,
  readObjectIdentifier,
  readSetOf,
  readSmallInteger,
  type DeviationSet,
} from '../der/value.ts'
import { isWellFormedConstraint, isWellFormedName } from './general-name-form.ts'
import { readGeneralName, type GeneralName } from './general-name.ts'

const listLimit = 64
const nameLimit = 8192

export interface AuthorityKeyIdentifier {
  readonly keyIdentifier?: Uint8Array
  /** Whether issuer and serial number are named as well. */
  readonly hasIssuer: boolean
}

export interface BasicConstraints {
  readonly isAuthority: boolean
  readonly pathLength?: number
}

export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

/** An attribute of the subject; its values are DER. */
export interface DirectoryAttribute {
  readonly type: string
  readonly values: readonly Uint8Array[]
}

/** KeyUsage, bit n as 2ⁿ. RFC 5280 §4.2.1.3. Throws DerError. */
export function readKeyUsage(reader: DerReader, deviations: DeviationSet): number {
  return readNamedBits(reader, deviations)
}

function wellFormed(name: GeneralName, isWellFormed: (name: GeneralName) => boolean): GeneralName {
  if (isWellFormed(name)) return name
  throw new DerError('der-value', { expected: `a well-formed name of kind ${name.kind}` })
}

/** AuthorityKeyIdentifier. RFC 5280 §4.2.1.1. Throws DerError. */
export function readAuthorityKeyIdentifier(
  reader: DerReader,
  deviations: DeviationSet,
): AuthorityKeyIdentifier {
  return reader.within(TAG.sequence, inside => {
    const keyIdentifier = inside.isNext(contextTag(0)) ? inside.contents(contextTag(0)) : undefined
    const issuer = inside.optional(constructedContextTag(1), names =>
      nonEmpty(names.each(listLimit, name => readGeneralName(name, deviations))),
    )
    const serial = inside.isNext(contextTag(2)) ? readInteger(inside, contextTag(2)) : undefined
    if ((issuer === undefined) !== (serial === undefined)) {
      throw new DerError('der-value', { expected: 'issuer and serial number, or neither' })
    }
    return {
      hasIssuer: issuer !== undefined,
      ...(keyIdentifier === undefined ? {} : { keyIdentifier }),
    }
  })
}

/** BasicConstraints. RFC 5280 §4.2.1.9. Throws DerError. */
export function readBasicConstraints(
  reader: DerReader,
  deviations: DeviationSet,
): BasicConstraints {
  return reader.within(TAG.sequence, inside => {
    const isAuthority = readDefaultFalse(inside, deviations)
    if (inside.isAtEnd) return { isAuthority }
    return { isAuthority, pathLength: readSmallInteger(inside, 0x7fff_ffff) }
  })
}

/** ExtKeyUsageSyntax, in dotted decimal. RFC 5280 §4.2.1.12. Throws DerError. */
export function readExtendedKeyUsage(reader: DerReader): string[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(inside.each(listLimit, usages => readObjectIdentifier(usages))),
  )
}

/** GeneralNames of a subject. RFC 5280 §4.2.1.6. Throws DerError. */
export function readGeneralNames(reader: DerReader, deviations: DeviationSet): GeneralName[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(
      inside.each(nameLimit, names =>
        wellFormed(readGeneralName(names, deviations), isWellFormedName),
      ),
    ),
  )
}

/** CertificatePolicies, the identifiers alone. RFC 5280 §4.2.1.4. Throws DerError. */
export function readPolicies(reader: DerReader): string[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(
      inside.each(listLimit, policies =>
        policies.within(TAG.sequence, policy => {
          const identifier = readObjectIdentifier(policy)
          if (!policy.isAtEnd) policy.encoded(TAG.sequence)
          return identifier
        }),
      ),
    ),
  )
}

/** SubjectDirectoryAttributes. RFC 5280 §4.2.1.8. Throws DerError. */
export function readDirectoryAttributes(
  reader: DerReader,
  deviations: DeviationSet,
): DirectoryAttribute[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(
      inside.each(listLimit, attributes =>
        attributes.within(TAG.sequence, attribute => {
          const type = readObjectIdentifier(attribute)
          const read = (value: DerReader): Uint8Array => value.element().encoded
          return { type, values: nonEmpty(readSetOf(attribute, listLimit, deviations, read)) }
        }),
      ),
    ),
  )
}

/** NameConstraints. RFC 5280 §4.2.1.10. Throws DerError. */
export function readNameConstraints(reader: DerReader, deviations: DeviationSet): NameConstraints {
  return reader.within(TAG.sequence, inside => {
    const permitted = readSubtrees(inside, 0, deviations)
    const excluded = readSubtrees(inside, 1, deviations)
    if (permitted.length + excluded.length === 0) {
      throw new DerError('der-value', { expected: 'a constraint' })
    }
    return { permitted, excluded }
  })
}

function readSubtrees(reader: DerReader, n: number, deviations: DeviationSet): GeneralName[] {
  const subtrees = reader.optional(constructedContextTag(n), inside =>
    nonEmpty(
      inside.each(nameLimit, trees =>
        // minimum and maximum are 0 and absent in every profile; a reader at its end says so.
        trees.within(TAG.sequence, tree =>
          wellFormed(readGeneralName(tree, deviations), isWellFormedConstraint),
        ),
      ),
    ),
  )
  return subtrees ?? []
}
