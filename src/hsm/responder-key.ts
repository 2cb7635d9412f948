import { generateKeyPairSync, sign } from 'node:crypto'
import type { ResponderKey } from '../ports/responder-key.ts'

/** A new key on P-256 that lives as long as the process: it signs OCSP answers, so that no hardware has to. */
export function createResponderKey(): ResponderKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  return {
    spki: new Uint8Array(publicKey.export({ format: 'der', type: 'spki' })),
    signer: { algorithm: 'ES256', sign: message => sign('sha256', message, key) },
  }
}
