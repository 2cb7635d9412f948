import { createHash } from 'node:crypto'
import * as der from '../der/writer.ts'
import { encodeSigned } from '../issuance/assembly.ts'
import type { CertificateSigner } from '../issuance/credential.ts'
import { encodeExtension } from '../issuance/extension.ts'
import { revocationReasons } from '../status/revocation-reason.ts'
import { parsePublicKey } from '../x509/public-key.ts'
import type { RevokedCertificate } from './revoked-certificate.ts'

/** Why a request gets no answer here (RFC 6960 §4.2.1); such a response says that and nothing else, and is not signed. */
export const ocspRefusals = {
  malformedRequest: 1,
  tryLater: 3,
  unauthorized: 6,
} as const

export type OcspRefusal = keyof typeof ocspRefusals

/** `OCSPResponse` without an answer, DER. RFC 6960 §2.3. */
export function encodeOcspRefusal(refusal: OcspRefusal): Uint8Array {
  return der.sequence(der.enumerated(ocspRefusals[refusal]))
}

/** What is known of one certificate. */
export type OcspStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'unknown' }
  | ({ readonly kind: 'revoked' } & Pick<RevokedCertificate, 'revokedAt' | 'reason'>)

/** What an answer is made of. */
export interface OcspAnswerRequest {
  /** DER SubjectPublicKeyInfo of the responder's key. */
  readonly responderKey: Uint8Array
  /** DER of the responder's certificate, sent along. */
  readonly responderCertificate: Uint8Array
  /** Unix milliseconds: since when this is so, and when it is told anew at the latest. */
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly nonce: Uint8Array | undefined
  /** In the order of the questions; `id` is DER CertID as it was sent. */
  readonly answers: readonly { readonly id: Uint8Array; readonly status: OcspStatus }[]
}

/**
 *     ResponseData ::= SEQUENCE {
 *       version [0] DEFAULT v1, responderID CHOICE { … byKey [2] OCTET STRING }, producedAt GeneralizedTime,
 *       responses SEQUENCE OF SingleResponse, responseExtensions [1] EXPLICIT Extensions OPTIONAL }
 *
 * Makes a successful answer, signed with the responder's key: DER OCSPResponse.
 *
 * @see RFC 6960 §4.2.1, §4.2.2.3; RFC 9654 §2.1
 */
export async function createOcspAnswer(
  request: OcspAnswerRequest,
  signer: CertificateSigner,
): Promise<Uint8Array> {
  const { nonce } = request
  const data = der.sequence(
    der.contextConstructed(2, der.octetString(keyHash(request.responderKey))),
    der.generalizedTime(request.thisUpdate),
    der.sequence(...request.answers.map(answer => encodeSingle(answer, request))),
    ...(nonce === undefined ? [] : [der.contextConstructed(1, der.sequence(encodeNonce(nonce)))]),
  )
  const certificates = der.contextConstructed(0, der.sequence(request.responderCertificate))
  const basic = encodeSigned(data, signer.algorithm, await signer.sign(data), certificates)
  return der.sequence(
    der.enumerated(0),
    der.contextConstructed(
      0,
      der.sequence(der.objectIdentifier('1.3.6.1.5.5.7.48.1.1'), der.octetString(basic)),
    ),
  )
}

/** `SingleResponse ::= SEQUENCE { certID, certStatus, thisUpdate, nextUpdate [0] EXPLICIT }`. */
function encodeSingle(
  { id, status }: OcspAnswerRequest['answers'][number],
  { thisUpdate, nextUpdate }: OcspAnswerRequest,
): Uint8Array {
  return der.sequence(
    id,
    encodeStatus(status),
    der.generalizedTime(thisUpdate),
    der.contextConstructed(0, der.generalizedTime(nextUpdate)),
  )
}

/** `CertStatus ::= CHOICE { good [0] NULL, revoked [1] RevokedInfo, unknown [2] NULL }`. */
function encodeStatus(status: OcspStatus): Uint8Array {
  if (status.kind === 'good') return der.implicitPrimitive(0, new Uint8Array())
  if (status.kind === 'unknown') return der.implicitPrimitive(2, new Uint8Array())
  const { revokedAt, reason } = status
  const code = revocationReasons[reason]
  return der.contextConstructed(
    1,
    der.generalizedTime(revokedAt),
    ...(code === 0 ? [] : [der.contextConstructed(0, der.enumerated(code))]),
  )
}

function encodeNonce(nonce: Uint8Array): Uint8Array {
  return encodeExtension('1.3.6.1.5.5.7.48.1.2', false, der.octetString(nonce))
}

/** SHA-1 of the key's BIT STRING, whatever else is used: the name of a key, no proof (RFC 6960 §4.2.1). */
function keyHash(spki: Uint8Array): Uint8Array {
  return createHash('sha1').update(parsePublicKey(spki).keyBits).digest()
}
