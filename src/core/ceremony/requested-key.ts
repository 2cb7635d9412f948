import { DerError } from '../der/error.ts'
import {
  CertificationRequestError,
  parseCertificationRequest,
  verifyCertificationRequest,
} from '../x509/certification-request.ts'
import { parsePublicKey, type PublicKey } from '../x509/public-key.ts'
import { authorityKeyOf } from './authority-key.ts'

/** Larger than any request of an authority; a module may hang attributes on it. */
const largestRequest = 0x4000

const seal = Symbol('requested key')

/** A key whose holder has signed a request for it. Made by {@link verifyAuthorityRequest} alone. */
export class RequestedKey {
  readonly #spki: Uint8Array

  constructor(key: typeof seal, spki: Uint8Array) {
    if (key !== seal) throw new TypeError('made by verifyAuthorityRequest alone')
    this.#spki = spki
  }

  /** DER SubjectPublicKeyInfo, as the runtime writes it. */
  get spki(): Uint8Array {
    return this.#spki
  }
}

/**
 * Verifies the request of an authority whose key lives elsewhere: one key on a curve that authorities have, and that
 * very key signed it. Nothing else of it is read: name, attributes and extensions are what the ceremony says.
 *
 * @param request PKCS #10, DER
 * @throws CertificationRequestError `csr-malformed`, `csr-algorithm`, `csr-signature`; CeremonyError `ceremony-key`
 * @see RFC 2986 §4
 */
export function verifyAuthorityRequest(request: Uint8Array): RequestedKey {
  if (request.length > largestRequest)
    throw new CertificationRequestError('csr-malformed', {
      expected: `at most ${largestRequest} bytes`,
      found: `${request.length} bytes`,
    })
  const parsed = parseCertificationRequest(request)
  const { key, spki } = authorityKeyOf(readKey(parsed.subjectPublicKeyInfo))
  verifyCertificationRequest(parsed, key)
  return new RequestedKey(seal, spki)
}

function readKey(spki: Uint8Array): PublicKey {
  try {
    return parsePublicKey(spki).publicKey
  } catch (cause) {
    if (!(cause instanceof DerError)) throw cause
    throw new CertificationRequestError('csr-malformed', { found: cause.message, cause })
  }
}
