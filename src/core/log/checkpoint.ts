import { encodeBase64, parseBase64 } from './base64.ts'
import { LogError } from './log-error.ts'
import { hashSize } from './merkle-hash.ts'
import type { NoteVerifier } from './note-key.ts'
import { parseNote, verifyNote, type SignedNote } from './signed-note.ts'

/** What a log commits to: all of its entries, by number and root. C2SP tlog-checkpoint v1.0.0 §Note text. */
export interface Checkpoint {
  /** Name of the log, unique to it. */
  readonly origin: string
  /** Leaves. */
  readonly size: number
  readonly rootHash: Uint8Array
}

/**
 * The text to sign. Extension lines are never written: no monitor could audit them.
 *
 *     <origin>\n<size>\n<base64 root>\n
 */
export function encodeCheckpointText({ origin, size, rootHash }: Checkpoint): string {
  if (origin === '' || /[\r\n]/.test(origin)) throw new TypeError('not an origin')
  return `${origin}\n${size}\n${encodeBase64(rootHash)}\n`
}

/**
 * Parses the text of a checkpoint. Extension lines are refused, as our logs write none.
 *
 * @throws {LogError} `checkpoint-malformed`
 */
export function parseCheckpointText(text: string): Checkpoint {
  const lines = text.split('\n')
  const [origin, digits, root, end] = lines
  const rootHash = parseBase64(root ?? '')
  const size = /^(?:0|[1-9]\d{0,15})$/.test(digits ?? '') ? Number(digits) : Number.NaN
  if (!origin || end !== '' || lines.length !== 4 || !Number.isSafeInteger(size))
    throw new LogError('checkpoint-malformed')
  if (rootHash?.length !== hashSize) throw new LogError('checkpoint-malformed')
  return { origin, size, rootHash }
}

/**
 * Parses a signed checkpoint and verifies that the log itself signed it: the verifier's name is the log's origin.
 * Says nothing about the tree behind it.
 *
 * @throws {LogError} `note-malformed`, `checkpoint-signature`, `checkpoint-malformed`, `checkpoint-origin`
 */
export function verifyCheckpoint(note: string, verifier: NoteVerifier): Checkpoint {
  const parsed = parseNote(note)
  requireSignature(parsed, verifier)
  const checkpoint = parseCheckpointText(parsed.text)
  if (checkpoint.origin !== verifier.name)
    throw new LogError('checkpoint-origin', { expected: verifier.name, found: checkpoint.origin })
  return checkpoint
}

function requireSignature(note: SignedNote, verifier: NoteVerifier): void {
  try {
    verifyNote(note, verifier)
  } catch (cause) {
    throw new LogError('checkpoint-signature', { expected: verifier.name, cause })
  }
}
