import { signEcdsa } from '../../../src/core/jose/ecdsa.ts'
import type { CertificateSigner } from '../../../src/core/issuance/credential.ts'
import type { TestKey } from '../../support/compact-jws.ts'

const schemes = {
  'P-256': ['ES256', 'sha256', 32],
  'P-384': ['ES384', 'sha384', 48],
} as const

/** A key of a test as the signer of an authority. */
export function signerOf({ jwk, privateKey }: TestKey): CertificateSigner {
  const [algorithm, hash, width] = schemes[jwk.crv]
  return { algorithm, sign: message => signEcdsa(hash, message, privateKey, width) }
}
