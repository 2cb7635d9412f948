import { sign } from 'node:crypto'
import type { ClientKey } from '../../src/attester/client-key.ts'
import { createTestKey } from '../support/compact-jws.ts'

/** A key of this process that counts its signatures. */
export function countingKey(): ClientKey & { readonly signatures: () => number } {
  const { privateKey, jwk, jkt } = createTestKey()
  let count = 0
  return {
    jwk,
    jkt,
    algorithm: 'ES256',
    protection: 'file',
    signatures: () => count,
    sign: async message => {
      count += 1
      return sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    },
    close: async () => undefined,
  }
}
