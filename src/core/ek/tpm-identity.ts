import { DerReader } from '../der/reader.ts'
import { TAG } from '../der/tag.ts'
import { DerError } from '../der/error.ts'
import { textOf } from '../der/text.ts'
import { readSmallInteger } from '../der/value.ts'
import type { Extensions } from '../x509/extension.ts'
import type { NameAttribute } from '../x509/name.ts'

/** Who made a TPM, as its certificate says. */
export interface TpmIdentity {
  /** `id:` and eight hexadecimal digits in upper case. */
  readonly vendor: string
  readonly model: string
  readonly version: string
}

const identityAttributes = {
  vendor: '2.23.133.2.1',
  model: '2.23.133.2.2',
  version: '2.23.133.2.3',
} as const

/**
 * Manufacturer, model and version from the subject's alternative name: one directoryName, which has each of them
 * exactly once, in relative names of their own or in one together. Undefined for anything else.
 *
 * @see TCG EK Credential Profile v2.5 §3.1.2; verification E4
 */
export function tpmIdentityOf(extensions: Extensions): TpmIdentity | undefined {
  const directories = (extensions.subjectAlternativeName ?? []).flatMap(name =>
    name.kind === 'directory' ? [name.name] : [],
  )
  const [directory, ...more] = directories
  if (directory === undefined || more.length > 0) return undefined
  const attributes = directory.relativeNames.flat()
  const vendor = only(attributes, identityAttributes.vendor)?.toUpperCase().replace(/^ID:/, 'id:')
  const model = only(attributes, identityAttributes.model)
  const version = only(attributes, identityAttributes.version)
  if (vendor === undefined || model === undefined || version === undefined) return undefined
  return /^id:[0-9A-F]{8}$/.test(vendor) ? { vendor, model, version } : undefined
}

function only(attributes: readonly NameAttribute[], type: string): string | undefined {
  const matching = attributes.filter(attribute => attribute.type === type)
  return matching.length === 1 ? matching[0]?.text : undefined
}

/** The version of the specification that a TPM follows. */
export interface TpmSpecification {
  /** `2.0` for every TPM that can be enrolled. */
  readonly family: string
  readonly level: number
  readonly revision: number
}

/**
 *     TPMSpecification ::= SEQUENCE { family UTF8String, level INTEGER, revision INTEGER }
 *
 * The one tpmSpecification among the subject's directory attributes; undefined where it is absent or there are more.
 *
 * @throws DerError
 * @see TCG EK Credential Profile v2.5 §3.1.3; verification E12
 */
export function tpmSpecificationOf(extensions: Extensions): TpmSpecification | undefined {
  const attributes = extensions.subjectDirectoryAttributes ?? []
  const values = attributes
    .filter(({ type }) => type === '2.23.133.2.16')
    .flatMap(({ values: all }) => all)
  const [value] = values
  if (value === undefined || values.length > 1) return undefined
  return new DerReader(value).within(TAG.sequence, inside => {
    const family = textOf(TAG.utf8String, inside.contents(TAG.utf8String))
    if (family === undefined) throw new DerError('der-value')
    return {
      family,
      level: readSmallInteger(inside, 0x7fff_ffff),
      revision: readSmallInteger(inside, 0x7fff_ffff),
    }
  })
}
