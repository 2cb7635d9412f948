import { DerError } from '../der/error.ts'
import { DerReader, parseDer } from '../der/reader.ts'
import { constructedContextTag, contextTag, TAG } from '../der/tag.ts'
import { readTime } from '../der/time.ts'
import {
  readDefaultFalse,
  readInteger,
  readSmallInteger,
  readUnsigned,
  type DeviationSet,
} from '../der/value.ts'
import { readAs } from './error.ts'
import { readPointName } from './extension-location.ts'
import { readAuthorityKeyIdentifier } from './extension-value.ts'
import { readName, type Name } from './name.ts'
import { parseRawExtensions, type RawExtension } from './raw-extension.ts'
import { readSameAlgorithm, readSignedDocument, type SignedDocument } from './signed-document.ts'

/** A certificate revocation list as it was read; nothing of it is verified. */
export interface CertificateList extends SignedDocument {
  readonly issuer: Name
  /** Unix milliseconds. */
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
  /** Reason code by serial number in hex of its octets; 0 where none is given. */
  readonly revoked: ReadonlyMap<string, number>
  readonly authorityKeyIdentifier: Uint8Array | undefined
  /** Grows with each list of one issuer and scope (RFC 5280 §5.2.3). */
  readonly number: bigint
  /** Which certificates of its issuer it speaks of. */
  readonly scope: 'all' | 'end-entities' | 'authorities'
  /**
   * URIs of the one distribution point for whose certificates it speaks; undefined where it speaks for every one
   * (RFC 5280 §5.2.5).
   */
  readonly distributionPoints: readonly string[] | undefined
}

/** As many as fit into 16 MiB, the longest value that the reader reads. */
const entryLimit = 0x8_0000

/**
 *     CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signature BIT STRING }
 *     TBSCertList ::= SEQUENCE {
 *       version INTEGER (v2), signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time OPTIONAL,
 *       revokedCertificates SEQUENCE OF SEQUENCE {
 *         userCertificate INTEGER, revocationDate Time, crlEntryExtensions Extensions OPTIONAL } OPTIONAL,
 *       crlExtensions [0] Extensions }
 *
 * Reads a complete list of version 2. Delta lists, indirect ones and ones for some reasons only are refused: they say
 * nothing alone, or of another's certificates.
 *
 * @throws X509Error `crl-malformed`
 * @see RFC 5280 §5.1, §5.2
 */
export function parseCertificateList(bytes: Uint8Array): CertificateList {
  return readAs('crl-malformed', () =>
    parseDer(bytes, TAG.sequence, reader => {
      const document = readSignedDocument(reader)
      const list = parseDer(document.signed, TAG.sequence, inside => readTbs(inside, document))
      return { ...document, ...list }
    }),
  )
}

function readTbs(
  reader: DerReader,
  { identifier }: SignedDocument,
): Omit<CertificateList, keyof SignedDocument> {
  const deviations: DeviationSet = new Set()
  if (readSmallInteger(reader, 1) !== 1) throw new DerError('der-value', { expected: 'version 2' })
  readSameAlgorithm(reader, identifier)
  const issuer = readName(reader, deviations)
  const thisUpdate = readTime(reader)
  const isTimeNext = reader.isNext(TAG.utcTime) || reader.isNext(TAG.generalizedTime)
  const nextUpdate = isTimeNext ? readTime(reader) : undefined
  const entries = reader.optional(TAG.sequence, list =>
    list.each(entryLimit, each => each.within(TAG.sequence, entry => readEntry(entry, deviations))),
  )
  const extensions = reader.within(constructedContextTag(0), inside =>
    parseRawExtensions(inside.encoded(TAG.sequence), deviations),
  )
  const revoked = new Map(entries ?? [])
  return { issuer, thisUpdate, nextUpdate, revoked, ...interpret(extensions, deviations) }
}

function readEntry(reader: DerReader, deviations: DeviationSet): [string, number] {
  const serial = Buffer.from(readInteger(reader)).toString('hex')
  readTime(reader)
  if (reader.isAtEnd) return [serial, 0]
  const extensions = parseRawExtensions(reader.encoded(TAG.sequence), deviations)
  // An entry for another issuer's certificate, or a rule that is not known, leaves the whole list unread.
  const unknown = extensions.find(({ id, isCritical }) => isCritical && id !== reasonCode)
  if (unknown !== undefined) throw unknownExtension(unknown)
  const reason = extensions.find(({ id }) => id === reasonCode)
  return [
    serial,
    reason === undefined ? 0 : readSmallInteger(new DerReader(reason.value), 10, TAG.enumerated),
  ]
}

const reasonCode = '2.5.29.21'
const crlNumber = '2.5.29.20'
const issuingDistributionPoint = '2.5.29.28'
const authorityKeyIdentifier = '2.5.29.35'

function interpret(
  extensions: readonly RawExtension[],
  deviations: DeviationSet,
): Pick<CertificateList, 'authorityKeyIdentifier' | 'number' | 'scope' | 'distributionPoints'> {
  const unknown = extensions.find(
    ({ id, isCritical }) => isCritical && id !== issuingDistributionPoint,
  )
  if (unknown !== undefined) throw unknownExtension(unknown)
  return {
    authorityKeyIdentifier: readKeyIdentifier(extensions, deviations),
    number: readNumber(extensions),
    ...readScope(extensions, deviations),
  }
}

const numberLimit = 20

function readNumber(extensions: readonly RawExtension[]): bigint {
  const extension = extensions.find(({ id }) => id === crlNumber)
  if (extension === undefined) throw new DerError('der-value', { expected: 'a CRL number' })
  const octets = readUnsigned(new DerReader(extension.value))
  if (octets.length > numberLimit)
    throw new DerError('der-value', { expected: `a CRL number of at most ${numberLimit} octets` })
  return BigInt(`0x${Buffer.from(octets).toString('hex')}`)
}

function unknownExtension({ id }: RawExtension): DerError {
  return new DerError('der-value', { expected: `a list without the critical extension ${id}` })
}

function readKeyIdentifier(
  extensions: readonly RawExtension[],
  deviations: DeviationSet,
): Uint8Array | undefined {
  const extension = extensions.find(({ id }) => id === authorityKeyIdentifier)
  if (extension === undefined) return undefined
  return readAuthorityKeyIdentifier(new DerReader(extension.value), deviations).keyIdentifier
}

/**
 *     IssuingDistributionPoint ::= SEQUENCE {
 *       distributionPoint [0] OPTIONAL, onlyContainsUserCerts [1], onlyContainsCACerts [2], onlySomeReasons [3],
 *       indirectCRL [4], onlyContainsAttributeCerts [5] }
 *
 * RFC 5280 §5.2.5.
 */
function readScope(
  extensions: readonly RawExtension[],
  deviations: DeviationSet,
): Pick<CertificateList, 'scope' | 'distributionPoints'> {
  const extension = extensions.find(({ id }) => id === issuingDistributionPoint)
  if (extension === undefined) return { scope: 'all', distributionPoints: undefined }
  return parseDer(extension.value, TAG.sequence, reader => {
    const distributionPoints = reader.optional(constructedContextTag(0), choice =>
      readPointName(choice, deviations),
    )
    const users = readFlag(reader, 1, deviations)
    const authorities = readFlag(reader, 2, deviations)
    const isPartial =
      reader.isNext(contextTag(3)) || reader.isNext(contextTag(4)) || reader.isNext(contextTag(5))
    if (isPartial || (users && authorities)) {
      throw new DerError('der-value', { expected: 'a complete and direct list' })
    }
    const half = authorities ? 'authorities' : 'all'
    return { scope: users ? 'end-entities' : half, distributionPoints }
  })
}

/** `[n]` IMPLICIT BOOLEAN DEFAULT FALSE. */
function readFlag(reader: DerReader, n: number, deviations: DeviationSet): boolean {
  return reader.isNext(contextTag(n)) && readDefaultFalse(reader, deviations, contextTag(n))
}
