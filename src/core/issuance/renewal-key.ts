import type { ProofKey } from '../token/proof-key.ts'
import {
  parseCertificationRequest,
  verifyCertificationRequest,
} from '../x509/certification-request.ts'

const seal = Symbol('renewal key')

/** A key that the hardware proved before and that has signed a new certificate request now. */
export class RenewalKey {
  readonly #spki: Uint8Array
  readonly #jkt: string

  constructor(key: typeof seal, spki: Uint8Array, jkt: string) {
    if (key !== seal) throw new TypeError('made by verifyRenewalRequest alone')
    this.#spki = spki
    this.#jkt = jkt
  }

  /** DER SubjectPublicKeyInfo. */
  get spki(): Uint8Array {
    return this.#spki
  }

  /** RFC 7638 thumbprint. */
  get jkt(): string {
    return this.#jkt
  }
}

const encoded = new WeakMap<ProofKey, Buffer>()

function spkiOf(key: ProofKey): Buffer {
  const known = encoded.get(key)
  if (known !== undefined) return known
  const spki = key.key.export({ format: 'der', type: 'spki' })
  encoded.set(key, spki)
  return spki
}

/**
 * Verifies a certificate request for a key that is on record; undefined when it is for any other key.
 *
 * @param csr PKCS#10, DER
 * @throws the errors of {@link parseCertificationRequest} and {@link verifyCertificationRequest}
 * @see RFC 2986 §4
 */
export function verifyRenewalRequest(csr: Uint8Array, key: ProofKey): RenewalKey | undefined {
  const request = parseCertificationRequest(csr)
  const spki = spkiOf(key)
  if (!spki.equals(request.subjectPublicKeyInfo)) return undefined
  verifyCertificationRequest(request, key.key)
  return new RenewalKey(seal, spki, key.jkt)
}
