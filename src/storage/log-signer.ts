import { createPublicKey, sign } from 'node:crypto'
import { encodeCheckpointText, type Checkpoint } from '../core/log/checkpoint.ts'
import { loadPkcs8, type NoteVerifier } from '../core/log/note-key.ts'
import { encodeNote } from '../core/log/signed-note.ts'
import type { Signer } from '../ports/signer.ts'

/** The log's Ed25519 key as a store sees it: whoever only knows the public half leaves the signing to others. */
export interface CheckpointKey {
  /** DER SubjectPublicKeyInfo. */
  readonly publicKey: Uint8Array
  readonly sign?: ((message: Uint8Array) => Uint8Array | Promise<Uint8Array>) | undefined
}

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

/** A checkpoint as a signed note. C2SP tlog-checkpoint v1.0.0 §Note text, signed-note v1.0.0 §Format. */
export async function signCheckpoint(
  checkpoint: Checkpoint,
  { name, keyId }: NoteVerifier,
  by: NonNullable<CheckpointKey['sign']>,
): Promise<string> {
  const text = encodeCheckpointText(checkpoint)
  const signature = await by(Buffer.from(text))
  return encodeNote({ text, signatures: [{ name, keyId, signature }] })
}
