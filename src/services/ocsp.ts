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
import type { CertificateRecord } from '../ports/credential-records.ts'
import type { KeptAnswer } from './ocsp-answers.ts'
import type { Responder } from './ocsp-responders.ts'
import type { Service } from './service.ts'

/** How long an answer is good: as long as whoever kept one does not see a revocation. */
const validityMs = 300_000

/** What goes back over HTTP. */
export interface OcspReply {
  /** DER OCSPResponse. */
  readonly bytes: Uint8Array
  /** When it may be given to others as well; undefined for refusals and answers with a nonce. */
  readonly kept?: KeptAnswer
}

/** Asked before each signature that somebody outside can have as often as they like; throws where it is one too many. */
export type AdmitSignature = () => void

/**
 * Answers a request about certificates of one authority. Certificates that were never issued are `unknown`; so are
 * those of which nobody knows whether they were signed, since no relying party is to take them.
 *
 * What is asked of one certificate that was issued, without nonce, is answered from what was produced before, held
 * against the store's word of this moment: whichever process revoked it. There are as many such answers as
 * certificates; every other answer is made for its asker alone, and counted.
 *
 * @param bytes DER OCSPRequest, untrusted
 * @throws StoreError, and what `admit` throws; a request that is not answered is answered with why (RFC 6960 §2.3)
 * @see RFC 6960 §2.2, §2.5; RFC 9919 §3; RFC 9654
 */
export async function answerOcsp(
  service: Service,
  authorityId: string,
  bytes: Uint8Array,
  admit: AdmitSignature,
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
  const [status, ...others] = statuses
  const isOfMany = others.length > 0 || request.nonce !== undefined
  if (question !== undefined && status !== undefined && status.kind !== 'unknown' && !isOfMany)
    return await answerKept(service, responder, authorityId, { question, status })
  admit()
  return { bytes: (await sign(service, responder, request, statuses)).bytes }
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
  { question, status }: { readonly question: OcspQuestion; readonly status: OcspStatus },
): Promise<OcspReply> {
  const kept = await service.ocsp.answers.find(
    `${authorityId}/${Buffer.from(question.encoded).toString('base64')}`,
    JSON.stringify(status),
    service.clock.now(),
    async () =>
      await sign(service, responder, { questions: [question], nonce: undefined }, [status]),
  )
  return { bytes: kept.bytes, kept }
}

async function sign(
  service: Service,
  responder: Responder,
  { questions, nonce }: OcspRequest,
  statuses: readonly OcspStatus[],
): Promise<Pick<KeptAnswer, 'bytes' | 'thisUpdate' | 'nextUpdate'>> {
  const thisUpdate = service.clock.now()
  const nextUpdate = Math.min(thisUpdate + validityMs, responder.notAfter)
  const bytes = await createOcspAnswer(
    {
      responderKey: responder.spki,
      responderCertificate: responder.certificate,
      thisUpdate,
      nextUpdate,
      nonce,
      answers: questions.map(({ encoded }, index) => ({
        id: encoded,
        status: statuses[index] ?? { kind: 'unknown' },
      })),
    },
    responder.signer,
  )
  return { bytes, thisUpdate, nextUpdate }
}
