import { DerError } from '../der/error.ts'
import { parseDer, type DerReader } from '../der/reader.ts'
import { constructedContextTag, contextTag, TAG } from '../der/tag.ts'
import { readGeneralizedTime } from '../der/time.ts'
import { readObjectIdentifier, readSmallInteger, type DeviationSet } from '../der/value.ts'
import { parseCertificate, type Certificate } from './certificate.ts'
import { readAs } from './error.ts'
import { readCertificateId, type OcspCertificateId } from './ocsp-certificate-id.ts'
import { parseRawExtensions } from './raw-extension.ts'
import { readSignedDocument, type SignedDocument } from './signed-document.ts'

/** What a responder says of one certificate. */
export interface SingleResponse extends OcspCertificateId {
  readonly status: 'good' | 'revoked' | 'unknown'
  /** Reason code; 0 where none is given. */
  readonly reason: number
  /** Unix milliseconds. */
  readonly thisUpdate: number
  readonly nextUpdate: number | undefined
}

/** A basic OCSP response as it was read; nothing of it is verified. */
export interface OcspResponse extends SignedDocument {
  readonly responses: readonly SingleResponse[]
  /** Certificates that the responder sends along: hints. */
  readonly certificates: readonly Certificate[]
}

const responseLimit = 64
const certificateLimit = 8

/**
 *     OCSPResponse ::= SEQUENCE {
 *       responseStatus ENUMERATED, responseBytes [0] SEQUENCE { responseType OBJECT IDENTIFIER, response OCTET STRING } }
 *     BasicOCSPResponse ::= SEQUENCE {
 *       tbsResponseData ResponseData, signatureAlgorithm, signature BIT STRING, certs [0] SEQUENCE OF Certificate OPTIONAL }
 *
 * Reads a successful basic response.
 *
 * @throws X509Error `ocsp-malformed`; `certificate-malformed` for a certificate in it
 * @see RFC 6960 §4.2.1
 */
export function parseOcspResponse(bytes: Uint8Array): OcspResponse {
  return readAs('ocsp-malformed', () => {
    const basic = parseDer(bytes, TAG.sequence, reader => {
      if (readSmallInteger(reader, 6, TAG.enumerated) !== 0) {
        throw new DerError('der-value', { expected: 'a successful response' })
      }
      return reader.within(constructedContextTag(0), inside =>
        inside.within(TAG.sequence, readBytes),
      )
    })
    return parseDer(basic, TAG.sequence, readBasicResponse)
  })
}

function readBytes(reader: DerReader): Uint8Array {
  if (readObjectIdentifier(reader) !== '1.3.6.1.5.5.7.48.1.1') {
    throw new DerError('der-value', { expected: 'a basic response' })
  }
  return reader.contents(TAG.octetString)
}

function readBasicResponse(reader: DerReader): OcspResponse {
  const document = readSignedDocument(reader)
  const certificates = reader.optional(constructedContextTag(0), inside =>
    inside.within(TAG.sequence, list =>
      list.each(certificateLimit, each => parseCertificate(each.encoded(TAG.sequence))),
    ),
  )
  const responses = parseDer(document.signed, TAG.sequence, readResponseData)
  return { ...document, responses, certificates: certificates ?? [] }
}

/**
 *     ResponseData ::= SEQUENCE {
 *       version [0] DEFAULT v1, responderID CHOICE { byName [1] Name, byKey [2] OCTET STRING },
 *       producedAt GeneralizedTime, responses SEQUENCE OF SingleResponse, responseExtensions [1] Extensions OPTIONAL }
 *
 * Who the responder says it is does not matter: its signature is verified under the keys that may answer.
 */
function readResponseData(reader: DerReader): SingleResponse[] {
  const deviations: DeviationSet = new Set()
  const responder = reader.element()
  if (responder.tag !== constructedContextTag(1) && responder.tag !== constructedContextTag(2)) {
    throw new DerError('der-tag', { expected: 'version 1 and a responder' })
  }
  readGeneralizedTime(reader)
  const responses = reader.within(TAG.sequence, list =>
    list.each(responseLimit, each =>
      each.within(TAG.sequence, single => readSingleResponse(single, deviations)),
    ),
  )
  readNothingCritical(reader, deviations)
  return responses
}

function readSingleResponse(reader: DerReader, deviations: DeviationSet): SingleResponse {
  const identity = reader.within(TAG.sequence, readCertificateId)
  const { status, reason } = readStatus(reader)
  const thisUpdate = readGeneralizedTime(reader)
  const nextUpdate = reader.optional(constructedContextTag(0), readGeneralizedTime)
  readNothingCritical(reader, deviations)
  return { ...identity, status, reason, thisUpdate, nextUpdate }
}

function readStatus(reader: DerReader): Pick<SingleResponse, 'status' | 'reason'> {
  if (reader.isNext(constructedContextTag(1))) {
    const reason = reader.within(constructedContextTag(1), inside => {
      readGeneralizedTime(inside)
      return inside.optional(constructedContextTag(0), code =>
        readSmallInteger(code, 10, TAG.enumerated),
      )
    })
    return { status: 'revoked', reason: reason ?? 0 }
  }
  const status = reader.isNext(contextTag(0)) ? 'good' : 'unknown'
  const contents = reader.contents(contextTag(status === 'good' ? 0 : 2))
  if (contents.length > 0) throw new DerError('der-value', { expected: 'NULL' })
  return { status, reason: 0 }
}

/** Extensions that are all of no account. Throws DerError for a critical one. */
function readNothingCritical(reader: DerReader, deviations: DeviationSet): void {
  const extensions = reader.optional(constructedContextTag(1), inside =>
    parseRawExtensions(inside.encoded(TAG.sequence), deviations),
  )
  const critical = extensions?.find(({ isCritical }) => isCritical)
  if (critical !== undefined) {
    throw new DerError('der-value', {
      expected: `a response without the critical extension ${critical.id}`,
    })
  }
}
