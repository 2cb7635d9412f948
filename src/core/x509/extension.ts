import { DerError } from '../der/error.ts'
import { DerReader, parseDer } from '../der/reader.ts'
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

/** Extensions that are read here, by name (RFC 5280 §4.2.1, §4.2.2). */
export interface Extensions {
  readonly authorityKeyIdentifier?: AuthorityKeyIdentifier
  readonly subjectKeyIdentifier?: Uint8Array
  /** Bit n of KeyUsage as 2ⁿ. */
  readonly keyUsage?: number
  readonly certificatePolicies?: readonly string[]
  readonly subjectAlternativeName?: readonly GeneralName[]
  readonly subjectDirectoryAttributes?: readonly DirectoryAttribute[]
  readonly basicConstraints?: BasicConstraints
  readonly nameConstraints?: NameConstraints
  /** Dotted decimal. */
  readonly extendedKeyUsage?: readonly string[]
  /** Where lists are published, as the issuer says; nothing fetches them unasked. */
  readonly crlDistributionPoints?: readonly string[]
  /** Where issuer's certificates are published, as the issuer says; nothing fetches them unasked. */
  readonly authorityInformationAccess?: readonly string[]
}

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

type ExtensionName = keyof Extensions

/** How an extension is read, and what RFC 5280 says of its criticality. */
interface ExtensionRow {
  readonly name: ExtensionName
  readonly criticality: 'never' | 'any'
  readonly read: (reader: DerReader, deviations: DeviationSet) => Extensions[ExtensionName]
}

const listLimit = 64
const nameLimit = 8192

/** The extensions that are known, by OBJECT IDENTIFIER; a critical one without a row is refused by whoever relies on it. */
export const extensionRows: Readonly<Record<string, ExtensionRow>> = {
  '2.5.29.35': {
    name: 'authorityKeyIdentifier',
    criticality: 'never',
    read: readAuthorityKeyIdentifier,
  },
  '2.5.29.14': {
    name: 'subjectKeyIdentifier',
    criticality: 'never',
    read: reader => reader.contents(TAG.octetString),
  },
  '2.5.29.15': { name: 'keyUsage', criticality: 'any', read: readKeyUsage },
  '2.5.29.32': { name: 'certificatePolicies', criticality: 'any', read: readPolicies },
  '2.5.29.17': { name: 'subjectAlternativeName', criticality: 'any', read: readGeneralNames },
  '2.5.29.9': {
    name: 'subjectDirectoryAttributes',
    criticality: 'never',
    read: readDirectoryAttributes,
  },
  '2.5.29.19': { name: 'basicConstraints', criticality: 'any', read: readBasicConstraints },
  '2.5.29.30': { name: 'nameConstraints', criticality: 'any', read: readNameConstraints },
  '2.5.29.37': { name: 'extendedKeyUsage', criticality: 'any', read: readExtendedKeyUsage },
  '2.5.29.31': { name: 'crlDistributionPoints', criticality: 'any', read: readDistributionPoints },
  '1.3.6.1.5.5.7.1.1': {
    name: 'authorityInformationAccess',
    criticality: 'never',
    read: readAccess,
  },
}

/**
 * The value of one known extension.
 *
 * @param value contents of extnValue
 * @throws DerError
 */
export function parseExtensionValue(
  row: ExtensionRow,
  value: Uint8Array,
  deviations: DeviationSet,
): Extensions[ExtensionName] {
  const reader = new DerReader(value)
  const parsed = row.read(reader, deviations)
  reader.finish()
  return parsed
}

function readKeyUsage(reader: DerReader, deviations: DeviationSet): number {
  return readNamedBits(reader, deviations)
}

function nonEmpty<T>(list: T[]): T[] {
  if (list.length === 0)
    throw new DerError('der-value', { expected: 'a list of one value or more' })
  return list
}

function wellFormed(name: GeneralName, isWellFormed: (name: GeneralName) => boolean): GeneralName {
  if (isWellFormed(name)) return name
  throw new DerError('der-value', { expected: `a well-formed name of kind ${name.kind}` })
}

function readAuthorityKeyIdentifier(
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

function readBasicConstraints(reader: DerReader, deviations: DeviationSet): BasicConstraints {
  return reader.within(TAG.sequence, inside => {
    const isAuthority = readDefaultFalse(inside, deviations)
    if (inside.isAtEnd) return { isAuthority }
    return { isAuthority, pathLength: readSmallInteger(inside, 0x7fff_ffff) }
  })
}

function readExtendedKeyUsage(reader: DerReader): string[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(inside.each(listLimit, usages => readObjectIdentifier(usages))),
  )
}

function readGeneralNames(reader: DerReader, deviations: DeviationSet): GeneralName[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(
      inside.each(nameLimit, names =>
        wellFormed(readGeneralName(names, deviations), isWellFormedName),
      ),
    ),
  )
}

function readPolicies(reader: DerReader): string[] {
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

function readDirectoryAttributes(
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

function readNameConstraints(reader: DerReader, deviations: DeviationSet): NameConstraints {
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

function readDistributionPoints(reader: DerReader, deviations: DeviationSet): string[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(
      inside.each(listLimit, points =>
        points.within(TAG.sequence, point => readDistributionPoint(point, deviations)),
      ),
    ).flat(),
  )
}

function readDistributionPoint(reader: DerReader, deviations: DeviationSet): string[] {
  const uris = reader.optional(constructedContextTag(0), choice =>
    choice.isNext(constructedContextTag(0))
      ? choice.within(constructedContextTag(0), names => readUris(names, deviations))
      : (choice.element(), []),
  )
  if (reader.isNext(contextTag(1))) readNamedBits(reader, deviations, contextTag(1))
  reader.optional(constructedContextTag(2), names => readUris(names, deviations))
  return uris ?? []
}

function readUris(reader: DerReader, deviations: DeviationSet): string[] {
  return nonEmpty(reader.each(listLimit, names => readGeneralName(names, deviations))).flatMap(
    name => (name.kind === 'uri' ? [name.text] : []),
  )
}

function readAccess(reader: DerReader, deviations: DeviationSet): string[] {
  return reader.within(TAG.sequence, inside =>
    nonEmpty(
      inside.each(listLimit, descriptions =>
        descriptions.within(TAG.sequence, description => {
          const method = readObjectIdentifier(description)
          const location = readGeneralName(description, deviations)
          return method === '1.3.6.1.5.5.7.48.2' && location.kind === 'uri' ? [location.text] : []
        }),
      ),
    ).flat(),
  )
}

/** One extension as it stands in a certificate or a list, its value unread. */
export interface RawExtension {
  readonly id: string
  readonly isCritical: boolean
  readonly value: Uint8Array
}

/**
 *     Extensions ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
 *       extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
 *
 * @throws DerError for anything else, and for one that occurs twice
 * @see RFC 5280 §4.1.2.9, §4.2
 */
export function parseRawExtensions(encoded: Uint8Array, deviations: DeviationSet): RawExtension[] {
  const list = parseDer(encoded, TAG.sequence, inside =>
    inside.each(listLimit, extensions =>
      extensions.within(TAG.sequence, extension => {
        const id = readObjectIdentifier(extension)
        const isCritical = readDefaultFalse(extension, deviations)
        return { id, isCritical, value: extension.contents(TAG.octetString) }
      }),
    ),
  )
  if (new Set(list.map(({ id }) => id)).size !== nonEmpty(list).length) {
    throw new DerError('der-value', { expected: 'each extension once' })
  }
  return list
}
