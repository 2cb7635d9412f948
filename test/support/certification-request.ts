import { sign } from 'node:crypto'
import * as der from '../../src/core/der/writer.ts'
import { encodeEcdsaSignature } from '../../src/core/issuance/signature-algorithm.ts'
import type { TestKey } from './compact-jws.ts'

const identifiers = {
  'P-256': {
    hash: 'sha256',
    identifier: der.sequence(der.objectIdentifier('1.2.840.10045.4.3.2')),
  },
  'P-384': {
    hash: 'sha384',
    identifier: der.sequence(der.objectIdentifier('1.2.840.10045.4.3.3')),
  },
} as const

/**
 * A PKCS #10 request for a key in software, DER (RFC 2986 §4): with an empty subject, signed by the key itself or,
 * where given, by another.
 */
export function certificationRequest(key: TestKey, signer: TestKey = key): Uint8Array {
  const { hash, identifier } = identifiers[signer.jwk.crv]
  const signed = der.sequence(
    der.smallInteger(0),
    der.sequence(),
    key.publicKey.export({ format: 'der', type: 'spki' }),
    der.contextConstructed(0),
  )
  const signature = sign(hash, signed, { key: signer.privateKey, dsaEncoding: 'ieee-p1363' })
  return der.sequence(signed, identifier, der.bitString(encodeEcdsaSignature(signature)))
}
