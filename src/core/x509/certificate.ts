import { createHash, type KeyObject } from 'node:crypto'
import { DerError } from '../der/error.ts'
import { parseDer, type DerReader } from '../der/reader.ts'
import { constructedContextTag, contextTag, TAG } from '../der/tag.ts'
import { readTime } from '../der/time.ts'
import { readInteger, readSmallInteger, type Deviation, type DeviationSet } from '../der/value.ts'
import { readAs } from './error.ts'
import { extensionRows, parseExtensionValue, type Extensions } from './extension.ts'
import { isSameName, readName, type Name } from './name.ts'
import { keyObjectOf, parsePublicKey, type PublicKey } from './public-key.ts'
import { parseRawExtensions, type RawExtension } from './raw-extension.ts'
import { readSameAlgorithm, readSignedDocument, type SignedDocument } from './signed-document.ts'

/** What a certificate says; nothing of it is verified. Byte members are views of the input. */
export interface CertificateFields extends SignedDocument {
  readonly encoded: Uint8Array
  readonly version: number
  /** Two's complement octets. */
  readonly serialNumber: Uint8Array
  readonly issuer: Name
  readonly subject: Name
  /** Unix milliseconds. */
  readonly notBefore: number
  readonly notAfter: number
  readonly publicKey: PublicKey
  /** Contents of the BIT STRING of the key: what key identifiers and OCSP digest. */
  readonly keyBits: Uint8Array
  /** Known extensions by name. */
  readonly extensions: Extensions
  /** All extensions. */
  readonly rawExtensions: readonly RawExtension[]
  /** Departures from DER that are tolerated of some issuers. */
  readonly deviations: ReadonlySet<Deviation>
}

/** policyConstraints and inhibitAnyPolicy: they restrict what stands below them (RFC 5280 §4.2.1.11, §4.2.1.14). */
const neverIgnored: readonly string[] = ['2.5.29.36', '2.5.29.54']

/** A certificate as it was read, with what is computed from it at most once. */
export class Certificate {
  readonly fields: CertificateFields
  /** Lower-case hex SHA-256 of the encoding. */
  readonly fingerprint: string
  #key: KeyObject | undefined
  #isKeyMade = false

  /** The caller is {@link parseCertificate}. */
  constructor(fields: CertificateFields) {
    this.fields = fields
    this.fingerprint = createHash('sha256').update(fields.encoded).digest('hex')
  }

  /** The runtime's object for the subject's key; undefined for one that is unsupported or not on its curve. */
  get key(): KeyObject | undefined {
    if (!this.#isKeyMade) this.#key = keyObjectOf(this.fields.publicKey)
    this.#isKeyMade = true
    return this.#key
  }

  /** Critical extensions that nothing here knows, and those that must be critical, whatever they say. */
  get unknownCritical(): string[] {
    const binding = this.fields.rawExtensions.filter(
      ({ id, isCritical }) => isCritical || neverIgnored.includes(id),
    )
    return binding.map(({ id }) => id).filter(id => extensionRows[id] === undefined)
  }

  /** Whether the extension is there and critical. */
  isCritical(id: string): boolean {
    return this.fields.rawExtensions.some(extension => extension.id === id && extension.isCritical)
  }

  /** Whether subject and issuer are the same name; whose key signed it is another question. */
  get isSelfIssued(): boolean {
    return isSameName(this.fields.subject, this.fields.issuer)
  }
}

/** Bits of KeyUsage as they stand in {@link Extensions}. RFC 5280 §4.2.1.3. */
export const keyUsages = {
  digitalSignature: 1,
  contentCommitment: 2,
  keyEncipherment: 4,
  dataEncipherment: 8,
  keyAgreement: 16,
  keyCertSign: 32,
  cRLSign: 64,
} as const

/** Larger than any certificate that is met here. */
const sizeLimit = 0x1_0000

/**
 *     Certificate ::= SEQUENCE {
 *       tbsCertificate TBSCertificate, signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
 *     TBSCertificate ::= SEQUENCE {
 *       version [0] INTEGER DEFAULT v1, serialNumber INTEGER, signature AlgorithmIdentifier, issuer Name,
 *       validity SEQUENCE { notBefore Time, notAfter Time }, subject Name,
 *       subjectPublicKeyInfo SubjectPublicKeyInfo, issuerUniqueID [1] IMPLICIT BIT STRING OPTIONAL,
 *       subjectUniqueID [2] IMPLICIT BIT STRING OPTIONAL, extensions [3] Extensions OPTIONAL }
 *
 * Reads exactly one certificate of version 3, of at most 64 KiB. Deviations from DER that some issuers' certificates
 * have are noted in it; whoever relies on the certificate decides.
 *
 * @throws X509Error `certificate-malformed`
 * @see RFC 5280 §4.1
 */
export function parseCertificate(bytes: Uint8Array): Certificate {
  return readAs('certificate-malformed', () => {
    if (bytes.length > sizeLimit) throw new DerError('der-value', { expected: 'at most 64 KiB' })
    const deviations: DeviationSet = new Set()
    return parseDer(bytes, TAG.sequence, reader => {
      const document = readSignedDocument(reader)
      const tbs = parseDer(document.signed, TAG.sequence, inside =>
        readTbs(inside, document.identifier, deviations),
      )
      return new Certificate({ encoded: bytes, ...document, deviations, ...tbs })
    })
  })
}

type TbsFields = Omit<CertificateFields, keyof SignedDocument | 'encoded' | 'deviations'>

function readTbs(reader: DerReader, identifier: Uint8Array, deviations: DeviationSet): TbsFields {
  const version = reader.optional(constructedContextTag(0), inside => readSmallInteger(inside, 2))
  if (version !== 2) throw new DerError('der-value', { expected: 'version 3' })
  const serialNumber = readSerialNumber(reader)
  readSameAlgorithm(reader, identifier)
  const issuer = readName(reader, deviations)
  const { notBefore, notAfter } = reader.within(TAG.sequence, inside => ({
    notBefore: readTime(inside),
    notAfter: readTime(inside),
  }))
  const subject = readName(reader, deviations)
  requireNumbered(serialNumber, issuer, subject)
  const { publicKey, keyBits } = parsePublicKey(reader.encoded(TAG.sequence))
  for (const n of [1, 2]) if (reader.isNext(contextTag(n))) reader.element()
  const rawExtensions = readExtensions(reader, deviations)
  const extensions = parseExtensions(rawExtensions, deviations)
  return {
    version: 3,
    serialNumber,
    issuer,
    notBefore,
    notAfter,
    subject,
    publicKey,
    keyBits,
    rawExtensions,
    extensions,
  }
}

/** Not negative, and of at most 20 octets (RFC 5280 §4.1.2.2). */
function readSerialNumber(reader: DerReader): Uint8Array {
  const serial = readInteger(reader)
  if ((serial[0] ?? 0) >= 0x80 || serial.length > (serial[0] === 0 ? 21 : 20)) {
    throw new DerError('der-value', { expected: 'a serial number of at most 20 octets' })
  }
  return serial
}

/** Zero is a number that roots gave themselves; nobody else is numbered by it. */
function requireNumbered(serial: Uint8Array, issuer: Name, subject: Name): void {
  if (serial.length > 1 || serial[0] !== 0 || isSameName(issuer, subject)) return
  throw new DerError('der-value', { expected: 'a serial number above zero' })
}

function readExtensions(reader: DerReader, deviations: DeviationSet): RawExtension[] {
  return (
    reader.optional(constructedContextTag(3), inside =>
      parseRawExtensions(inside.encoded(TAG.sequence), deviations),
    ) ?? []
  )
}

function parseExtensions(raw: readonly RawExtension[], deviations: DeviationSet): Extensions {
  const extensions: Partial<Record<keyof Extensions, Extensions[keyof Extensions]>> = {}
  for (const { id, isCritical, value } of raw) {
    const row = extensionRows[id]
    if (row === undefined) continue
    if (isCritical && row.criticality === 'never') {
      throw new DerError('der-value', { expected: `a ${row.name} that is not critical` })
    }
    extensions[row.name] = parseExtensionValue(row, value, deviations)
  }
  return extensions as Extensions
}
