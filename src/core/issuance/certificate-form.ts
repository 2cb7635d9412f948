import { parseDer, type DerElement, type DerReader } from '../der/reader.ts'
import { constructedContextTag, TAG } from '../der/tag.ts'
import { readObjectIdentifier } from '../der/value.ts'

/**
 * A certificate taken apart and no more: nothing is required of what its members hold. For lints, which say by name
 * what is wrong where the strict reader only refuses. Byte members are views of the input.
 */
export interface CertificateForm {
  /** Contents of the INTEGER; undefined where the version is left out. */
  readonly version: Uint8Array | undefined
  /** Contents of the INTEGER. */
  readonly serial: Uint8Array
  /** DER AlgorithmIdentifiers: the one that is signed, and the one beside the signature. */
  readonly innerAlgorithm: Uint8Array
  readonly outerAlgorithm: Uint8Array
  /** DER Names. */
  readonly issuer: Uint8Array
  readonly subject: Uint8Array
  readonly notBefore: DerElement
  readonly notAfter: DerElement
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  readonly extensions: readonly { readonly id: string; readonly isCritical: boolean }[]
}

/** Takes a certificate apart. Throws DerError where it is no certificate at all. RFC 5280 §4.1. */
export function parseCertificateForm(bytes: Uint8Array): CertificateForm {
  return parseDer(bytes, TAG.sequence, reader => {
    const tbs = reader.within(TAG.sequence, readTbs)
    const outerAlgorithm = reader.encoded(TAG.sequence)
    reader.encoded(TAG.bitString)
    return { ...tbs, outerAlgorithm }
  })
}

function readTbs(reader: DerReader): Omit<CertificateForm, 'outerAlgorithm'> {
  const version = reader.optional(constructedContextTag(0), inside => inside.contents(TAG.integer))
  const serial = reader.contents(TAG.integer)
  const innerAlgorithm = reader.encoded(TAG.sequence)
  const issuer = reader.encoded(TAG.sequence)
  const validity = reader.within(TAG.sequence, inside => ({
    notBefore: inside.element(),
    notAfter: inside.element(),
  }))
  const subject = reader.encoded(TAG.sequence)
  const spki = reader.encoded(TAG.sequence)
  const extensions = reader.optional(constructedContextTag(3), readExtensions) ?? []
  return { version, serial, innerAlgorithm, issuer, ...validity, subject, spki, extensions }
}

const extensionLimit = 64

function readExtensions(reader: DerReader): { id: string; isCritical: boolean }[] {
  return reader.within(TAG.sequence, list =>
    list.each(extensionLimit, extensions =>
      extensions.within(TAG.sequence, extension => {
        const id = readObjectIdentifier(extension)
        const isCritical = extension.isNext(TAG.boolean)
        if (isCritical) extension.element()
        extension.contents(TAG.octetString)
        return { id, isCritical }
      }),
    ),
  )
}
