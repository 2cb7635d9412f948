import type { KeyObject } from 'node:crypto'
import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'
import { DerError } from '../der/error.ts'
import { parseDer, type DerReader } from '../der/reader.ts'
import { constructedContextTag, TAG } from '../der/tag.ts'
import {
  isSignedWith,
  signatureAlgorithmOf,
  type SignatureAlgorithm,
} from './signature-algorithm.ts'

const rows = {
  'csr-malformed': {
    summary: 'The certificate request cannot be read.',
    hint: 'Send one PKCS #10 request of version 1 in DER, with nothing after it.',
    source: 'RFC 2986 §4',
  },
  'csr-algorithm': {
    summary: 'The certificate request is signed with an algorithm that does not go with its key.',
    hint: 'Sign with SHA-256 for P-256, SHA-384 for P-384, and SHA-256 or longer for RSA of 2048 bits or more.',
    source: 'RFC 2986 §4.2; RFC 7518 §3.4; verification A3',
  },
  'csr-signature': {
    summary: 'The certificate request is not signed by the key that it is for.',
    hint: 'Sign the request with that very key.',
    source: 'RFC 2986 §4.2',
  },
} as const satisfies Record<string, ErrorRow>

/** A certificate request that is refused. */
export class CertificationRequestError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

/** A certificate request as it was read; nothing of it is verified yet. Byte members are views of the input. */
export interface CertificationRequest {
  /** DER SubjectPublicKeyInfo, as it stands in the request. */
  readonly subjectPublicKeyInfo: Uint8Array
  /** DER CertificationRequestInfo: what is signed. */
  readonly signed: Uint8Array
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
}

/**
 *     CertificationRequest ::= SEQUENCE {
 *       certificationRequestInfo  CertificationRequestInfo,
 *       signatureAlgorithm        AlgorithmIdentifier,
 *       signature                 BIT STRING }
 *     CertificationRequestInfo ::= SEQUENCE {
 *       version INTEGER { v1(0) }, subject Name, subjectPKInfo SubjectPublicKeyInfo,
 *       attributes [0] IMPLICIT SET OF Attribute }
 *
 * Reads a certificate request. Who the subject is and what its certificate says is the service's decision: the
 * subject and every attribute, extension requests among them, are passed over, whatever they ask for.
 *
 * @throws CertificationRequestError `csr-malformed`, `csr-algorithm`
 * @see RFC 2986 §4
 */
export function parseCertificationRequest(bytes: Uint8Array): CertificationRequest {
  try {
    return parseDer(bytes, TAG.sequence, readRequest)
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    throw new CertificationRequestError('csr-malformed', { found: cause.message, cause })
  }
}

function readRequest(reader: DerReader): CertificationRequest {
  const signed = reader.encoded(TAG.sequence)
  const identifier = reader.encoded(TAG.sequence)
  const bits = reader.contents(TAG.bitString)
  if (bits[0] !== 0) throw new DerError('der-value', { expected: 'whole octets' })
  const subjectPublicKeyInfo = parseDer(signed, TAG.sequence, readInformation)
  const algorithm = signatureAlgorithmOf(identifier)
  if (algorithm === undefined) throw new CertificationRequestError('csr-algorithm')
  return { subjectPublicKeyInfo, signed, algorithm, signature: bits.subarray(1) }
}

function readInformation(reader: DerReader): Uint8Array {
  const version = reader.contents(TAG.integer)
  if (version.length !== 1 || version[0] !== 0) {
    throw new DerError('der-value', { expected: 'version 1' })
  }
  reader.encoded(TAG.sequence)
  const subjectPublicKeyInfo = reader.encoded(TAG.sequence)
  reader.encoded(constructedContextTag(0))
  return subjectPublicKeyInfo
}

/**
 * Verifies that `key` signed the request, with the one algorithm that goes with it: the key decides, the request must
 * agree (verification A2). That the request is *for* this key is the caller's comparison of
 * `subjectPublicKeyInfo` with the key it knows.
 *
 * @throws CertificationRequestError `csr-algorithm`, `csr-signature`
 * @see RFC 2986 §4.2
 */
export function verifyCertificationRequest(request: CertificationRequest, key: KeyObject): void {
  const { algorithm, signed, signature } = request
  if (!isFor(algorithm, key)) {
    throw new CertificationRequestError('csr-algorithm', { found: algorithm.name })
  }
  if (!isSignedWith(algorithm, key, signed, signature)) {
    throw new CertificationRequestError('csr-signature')
  }
}

const curveHashes: Readonly<Record<string, string>> = { prime256v1: 'sha256', secp384r1: 'sha384' }

function isFor(algorithm: SignatureAlgorithm, key: KeyObject): boolean {
  if (!algorithm.isStrong || key.asymmetricKeyType !== algorithm.keyType) return false
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {}
  if (algorithm.keyType === 'rsa') return modulusLength !== undefined && modulusLength >= 2048
  return namedCurve !== undefined && curveHashes[namedCurve] === algorithm.hash
}
