import {
  createOcspAnswer,
  encodeOcspRefusal,
  type OcspRefusal,
  type OcspStatus,
} from '../core/revocation/ocsp-answer.ts'
import { parseKnownCertificate } from '../core/x509/known-certificate.ts'
import { isIssuerNamed } from '../core/x509/ocsp-certificate-id.ts'
import { parseOcspRequest, type OcspQuestion, type OcspRequest } from '../core/x509/ocsp-request.ts'
import { X509Error } from '../core/x509/error.ts'
import type { CertificateRecord } from '../ports/records.ts'
import type { Responder } from './ocsp-responders.ts'
import type { Service } from './service.ts'

/** How long an answer is good: as long as whoever kept one does not see a revocation. */
const validityMs = 300_000

/** What goes back over HTTP. */
export interface OcspReply {
  /** DER OCSPResponse. */
  readonly bytes: Uint8Array
  /** When it may be given to others as well; undefined for refusals and answers with a nonce. */
  readonly kept?: { readonly thisUpdate: number; readonly nextUpdate: number }
}

/**
 * Answers a request about certificates of one authority. Certificates that were never issued are `unknown`; so are
 * those of which nobody knows whether they were signed, since no relying party is to take them.
 *
 * @param bytes DER OCSPRequest, untrusted
 * @throws StoreError; a request that is not answered is answered with why (RFC 6960 §2.3)
 * @see RFC 6960 §2.2, RFC 5019 §2.2, RFC 9654
 */
export async function answerOcsp(
  service: Service,
  authorityId: string,
  bytes: Uint8Array,
): Promise<OcspReply> {
  const request = readRequest(bytes)
  if (request === undefined) return refusal('malformedRequest')
  const authority = service.authorities
    .answering(service.clock.now())
    .find(({ id }) => id === authorityId)
  if (authority === undefined || !isAbout(request, authority.chain[0]))
    return refusal('unauthorized')
  const responder = service.ocsp.find(authorityId, service.clock.now())
  // The signer is never waited for: whoever asks now asks again.
  if (responder === undefined) return refusal('tryLater')
  const statuses = await readStatuses(service, authorityId, request.questions)
  const [question] = request.questions
  const isKept = request.nonce === undefined && request.questions.length === 1
  return isKept && question !== undefined
    ? await answerKept(service, responder, authorityId, question, statuses)
    : { bytes: await sign(service, responder, request, statuses) }
}

function readRequest(bytes: Uint8Array): OcspRequest | undefined {
  try {
    return parseOcspRequest(bytes)
  } catch (cause) {
    if (cause instanceof X509Error) return undefined
    throw cause
  }
}

function refusal(code: OcspRefusal): OcspReply {
  return { bytes: encodeOcspRefusal(code) }
}

/** Whether every question is about a certificate of this issuer; one responder answers for one authority. */
function isAbout({ questions }: OcspRequest, issuer: Uint8Array | undefined): boolean {
  if (issuer === undefined) return false
  const { subject, keyBits } = parseKnownCertificate(issuer).fields
  return questions.every(question => isIssuerNamed(question, { name: subject.encoded, keyBits }))
}

async function readStatuses(
  service: Service,
  authorityId: string,
  questions: readonly OcspQuestion[],
): Promise<OcspStatus[]> {
  const serials = questions.map(({ serialNumber }) => Buffer.from(serialNumber).toString('hex'))
  const found = await service.store.certificateStatus.findCertificates(authorityId, serials)
  const now = service.clock.now()
  return serials.map(serial => {
    const record = found.find(row => row.serial === serial)
    if (record !== undefined) return statusOf(record)
    return { kind: service.ocsp.isVouched(authorityId, serial, now) ? 'good' : 'unknown' }
  })
}

function statusOf({ status, revokedAt, revocationReason }: CertificateRecord): OcspStatus {
  if (status === 'revoked')
    return {
      kind: 'revoked',
      revokedAt: revokedAt ?? 0,
      reason: revocationReason ?? 'unspecified',
    }
  return { kind: status === 'issued' ? 'good' : 'unknown' }
}

async function answerKept(
  service: Service,
  responder: Responder,
  authorityId: string,
  question: OcspQuestion,
  statuses: readonly OcspStatus[],
): Promise<OcspReply> {
  const key = `${authorityId}/${Buffer.from(question.encoded).toString('base64')}`
  const status = JSON.stringify(statuses)
  const now = service.clock.now()
  const before = service.ocsp.findAnswer(key, status, now)
  if (before !== undefined) return { bytes: before.bytes, kept: before }
  const request = { questions: [question], nonce: undefined }
  const bytes = await sign(service, responder, request, statuses)
  const answer = { status, bytes, thisUpdate: now, nextUpdate: now + validityMs }
  service.ocsp.keepAnswer(key, answer)
  return { bytes, kept: answer }
}

async function sign(
  service: Service,
  responder: Responder,
  { questions, nonce }: OcspRequest,
  statuses: readonly OcspStatus[],
): Promise<Uint8Array> {
  const thisUpdate = service.clock.now()
  return await createOcspAnswer(
    {
      responderKey: responder.spki,
      responderCertificate: responder.certificate,
      thisUpdate,
      nextUpdate: Math.min(thisUpdate + validityMs, responder.notAfter),
      nonce,
      answers: questions.map(({ encoded }, index) => ({
        id: encoded,
        status: statuses[index] ?? { kind: 'unknown' },
      })),
    },
    responder.signer,
  )
}
