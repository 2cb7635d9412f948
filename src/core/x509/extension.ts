import { DerReader } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import type { DeviationSet } from '../der/value.ts'
import { readAccess, readDistributionPoints } from './extension-location.ts'
import {
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readDirectoryAttributes,
  readExtendedKeyUsage,
  readGeneralNames,
  readKeyUsage,
  readNameConstraints,
  readPolicies,
  type AuthorityKeyIdentifier,
  type BasicConstraints,
  type DirectoryAttribute,
  type NameConstraints,
} from './extension-value.ts'
import type { GeneralName } from './general-name.ts'

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

type ExtensionName = keyof Extensions

/** How an extension is read, and what RFC 5280 says of its criticality. */
interface ExtensionRow {
  readonly name: ExtensionName
  readonly criticality: 'never' | 'any'
  readonly read: (reader: DerReader, deviations: DeviationSet) => Extensions[ExtensionName]
}

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
