import { createPublicKey, sign } from 'node:crypto'
import { loadPkcs8 } from '../core/log/note-key.ts'
import type { Signer } from '../ports/signer.ts'

/** The log's key held in this process: signs at once. */
export function createEmbeddedLogSigner(pkcs8: Uint8Array): Signer {
  const key = loadPkcs8(pkcs8)
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' })
  return {
    algorithm: 'Ed25519',
    publicKey: new Uint8Array(publicKey),
    sign: message => sign(null, message, key),
  }
}
