import { createHash } from 'node:crypto'
import { lengthPrefixed } from '../bytes/encode.ts'
import type { ProofKey } from '../token/proof-key.ts'
import {
  parseCertificationRequest,
  verifyCertificationRequest,
} from '../x509/certification-request.ts'

const encoded = new WeakMap<ProofKey, Buffer>()

function spkiOf(key: ProofKey): Buffer {
  const known = encoded.get(key)
  if (known !== undefined) return known
  const spki = key.key.export({ format: 'der', type: 'spki' })
  encoded.set(key, spki)
  return spki
}

/**
 * Verifies a certificate request for a key that is on record; false when it is for any other key. It costs little and
 * comes first; that hardware holds the key is another proof.
 *
 * @param csr PKCS#10, DER
 * @throws the errors of {@link parseCertificationRequest} and {@link verifyCertificationRequest}
 * @see RFC 2986 §4
 */
export function verifyRenewalRequest(csr: Uint8Array, key: ProofKey): boolean {
  const request = parseCertificationRequest(csr)
  if (!spkiOf(key).equals(request.subjectPublicKeyInfo)) return false
  verifyCertificationRequest(request, key.key)
  return true
}

/**
 * Names a renewal by what it is: the certificate that is replaced, for its key. Whoever asks for it again, with
 * whatever request, asks for the same. Hex SHA-256.
 *
 * @param jkt RFC 7638 thumbprint
 * @param serial of the certificate that is replaced, lower-case hex
 */
export function renewalIdOf(jkt: string, serial: string): string {
  const fields = lengthPrefixed(['assay/renewal/v1', jkt, serial])
  return createHash('sha256').update(fields).digest('hex')
}
