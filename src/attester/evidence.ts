import type { Tpm, TpmHandle } from '../../native/index.ts'
import { encodeBase64url } from '../core/bytes/base64url.ts'
import { activationProof, quoteBinding } from '../core/verifier/transcript.ts'
import { activateCredential } from './activation.ts'
import type { EnrollmentChallenge } from './challenge.ts'
import type { Endorsement } from './endorsement.ts'
import { eventLogPathsOf, loadEventLogs, type EventLogs } from './event-log.ts'
import { createQuote, type Quote } from './quote.ts'
import {
  attestationBody,
  createSubjectKey,
  subjectKeyBody,
  type CertifiedKey,
} from './subject-key.ts'

/** The keys that answer a challenge, and the values that a TPM's owner has set. */
export interface EvidenceRequest {
  readonly endorsement: Endorsement
  readonly attestationKey: TpmHandle
  readonly challenge: EnrollmentChallenge
  readonly endorsementAuth?: Uint8Array | undefined
  readonly ownerAuth?: Uint8Array | undefined
}

/** The answer to the challenge of an enrolment. */
export interface CollectedEvidence {
  readonly activation: Uint8Array
  readonly quote: Quote
  /** The host's own key. */
  readonly key: CertifiedKey
  /** What was measured in this boot, where the kernel shows it; read after the quote, so never behind it. */
  readonly logs?: EventLogs
}

/**
 * Collects all that an enrolment asks for: the secret of the challenge, a key created and certified for it, a quote,
 * and the proof that ties them together. The endorsement key is flushed on the way, since a TPM has three slots.
 *
 * @throws AttesterError, Tpm2Error of its steps
 * @see RFC 9334 §8.1; verification C4
 */
export async function collectEvidence(
  tpm: Tpm,
  request: EvidenceRequest,
): Promise<CollectedEvidence> {
  const { endorsement, attestationKey, challenge, ownerAuth } = request
  const { credential, nonce, audience, id } = challenge
  const auth = request.endorsementAuth
  const secret = await activateCredential(tpm, { endorsement, attestationKey, credential, auth })
  await tpm.flush(endorsement.handle)
  const context = { purpose: 'host', audience, contextId: id, nonce } as const
  const key = await createSubjectKey(tpm, { attestationKey, context, ownerAuth })
  const transcript = {
    audience,
    enrollmentId: id,
    nonce,
    endorsementName: endorsement.handle.name,
    attestationName: attestationKey.name,
  }
  const quote = await createQuote(tpm, {
    signer: attestationKey,
    pcrs: challenge.pcrs,
    qualifyingData: quoteBinding(transcript),
  })
  const answer = { quote: quote.attest, certify: key.certify.attest, csr: key.csr }
  const logs = await loadEventLogs(eventLogPathsOf(tpm.tcti))
  return { activation: activationProof(secret, transcript, answer), quote, key, logs }
}

/** Evidence as the service's interface takes it. */
export function evidenceBody({ activation, quote, key, logs }: CollectedEvidence): object {
  const values = [...quote.pcrs].map(([pcr, value]) => [pcr, Buffer.from(value).toString('hex')])
  return {
    activation: encodeBase64url(activation),
    quote: attestationBody(quote),
    pcrs: { sha256: Object.fromEntries(values) as Record<string, string> },
    subjectKey: subjectKeyBody(key),
    csr: encodeBase64url(key.csr),
    ...(logs?.firmware === undefined ? {} : { eventLog: encodeBase64url(logs.firmware) }),
    ...(logs?.ima === undefined ? {} : { imaLog: encodeBase64url(logs.ima) }),
  }
}
