import { DerError } from '../der/error.ts'
import { nonEmpty } from '../der/list.ts'
import { DerReader, parseDer } from '../der/reader.ts'
import { constructedContextTag, TAG } from '../der/tag.ts'
import type { DeviationSet } from '../der/value.ts'
import { readAs } from './error.ts'
import { readCertificateId, type OcspCertificateId } from './ocsp-certificate-id.ts'
import { parseRawExtensions, type RawExtension } from './raw-extension.ts'

/** One certificate that is asked about. */
export interface OcspQuestion extends OcspCertificateId {
  /** DER CertID as it was sent: what the answer repeats. */
  readonly encoded: Uint8Array
}

/** What somebody asks. Nothing of it is verified, and nothing needs to be: the answer is the same for everybody. */
export interface OcspRequest {
  /** One or more. */
  readonly questions: readonly OcspQuestion[]
  /** 1 to 128 octets, to be repeated; undefined where the answer may be one that was made before. */
  readonly nonce: Uint8Array | undefined
}

const questionLimit = 32
const serialLimit = 20
const nonceLimit = 128
const nonceId = '1.3.6.1.5.5.7.48.1.2'

/**
 *     OCSPRequest ::= SEQUENCE { tbsRequest TBSRequest, optionalSignature [0] EXPLICIT Signature OPTIONAL }
 *     TBSRequest ::= SEQUENCE {
 *       version [0] DEFAULT v1, requestorName [1] EXPLICIT GeneralName OPTIONAL,
 *       requestList SEQUENCE OF Request, requestExtensions [2] EXPLICIT Extensions OPTIONAL }
 *     Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] EXPLICIT Extensions OPTIONAL }
 *
 * Who asks and who signed that is passed over: everybody is answered.
 *
 * @throws X509Error `ocsp-request-malformed`: also for more than 32 questions, a serial number of more than 20 octets,
 *   a nonce of none or more than 128, and a critical extension that is not known
 * @see RFC 6960 §4.1, RFC 9654 §2.1
 */
export function parseOcspRequest(bytes: Uint8Array): OcspRequest {
  return readAs('ocsp-request-malformed', () =>
    parseDer(bytes, TAG.sequence, reader => {
      const request = reader.within(TAG.sequence, readTbs)
      if (reader.isNext(constructedContextTag(0))) reader.element()
      return request
    }),
  )
}

function readTbs(reader: DerReader): OcspRequest {
  const deviations: DeviationSet = new Set()
  if (reader.isNext(constructedContextTag(1))) reader.element()
  const questions = reader.within(TAG.sequence, list =>
    nonEmpty(
      list.each(questionLimit, each =>
        each.within(TAG.sequence, one => readQuestion(one, deviations)),
      ),
    ),
  )
  const extensions = readExtensions(reader, 2, deviations)
  const nonce = extensions.find(({ id }) => id === nonceId)
  return { questions, nonce: nonce && readNonce(nonce) }
}

function readQuestion(reader: DerReader, deviations: DeviationSet): OcspQuestion {
  const encoded = reader.encoded(TAG.sequence)
  const id = parseDer(encoded, TAG.sequence, readCertificateId)
  if (id.serialNumber.length > serialLimit) {
    throw new DerError('der-value', { expected: `a serial number of ${serialLimit} octets` })
  }
  readExtensions(reader, 0, deviations)
  return { ...id, encoded }
}

/** Extensions that are known or of no account. Throws DerError for others that are critical. RFC 6960 §4.4. */
function readExtensions(reader: DerReader, tag: number, deviations: DeviationSet): RawExtension[] {
  const extensions = reader.optional(constructedContextTag(tag), inside =>
    parseRawExtensions(inside.encoded(TAG.sequence), deviations),
  )
  const unknown = extensions?.find(({ id, isCritical }) => isCritical && id !== nonceId)
  if (unknown !== undefined) {
    throw new DerError('der-value', {
      expected: `a request without the critical extension ${unknown.id}`,
    })
  }
  return extensions ?? []
}

/** `Nonce ::= OCTET STRING (SIZE (1..128))`. RFC 9654 §2.1. */
function readNonce({ value }: RawExtension): Uint8Array {
  const reader = new DerReader(value)
  const nonce = reader.contents(TAG.octetString)
  reader.finish()
  if (nonce.length === 0 || nonce.length > nonceLimit) {
    throw new DerError('der-value', { expected: `a nonce of 1 to ${nonceLimit} octets` })
  }
  return nonce
}
