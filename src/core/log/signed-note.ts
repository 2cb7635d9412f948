import { verify } from 'node:crypto'
import { encodeBase64, parseBase64 } from './base64.ts'
import { LogError } from './log-error.ts'
import { isKeyName, type NoteVerifier } from './note-key.ts'

/** One line below a note. `signature` is what follows the four bytes of the key id. */
export interface NoteSignature {
  readonly name: string
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

/** A parsed note. Nothing in it is to be believed before {@link verifyNote}. */
export interface SignedNote {
  /** The signed text, with its final newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** More lines than any log has witnesses; verifiers must admit 16. C2SP signed-note v1.0.0 §Format. */
const maxSignatures = 100

/**
 * Text, blank line, signature lines. C2SP signed-note v1.0.0 §Format.
 *
 *     <text>\n\n(— <name> base64(<key id> || <signature>)\n)+
 */
export function encodeNote({ text, signatures }: SignedNote): string {
  if (!text.endsWith('\n') || hasControls(text)) throw new TypeError('not the text of a note')
  return `${text}\n${signatures.map(encodeSignature).join('')}`
}

function encodeSignature({ name, keyId, signature }: NoteSignature): string {
  if (!isKeyName(name) || keyId.length !== 4) throw new TypeError('not a key of a note')
  return `— ${name} ${encodeBase64(Buffer.concat([keyId, signature]))}\n`
}

/**
 * Parses a note strictly; re-encoding gives the same text.
 *
 * @throws {LogError} `note-malformed`
 */
export function parseNote(note: string): SignedNote {
  const end = note.lastIndexOf('\n\n')
  if (end < 0 || !note.isWellFormed() || hasControls(note)) throw new LogError('note-malformed')
  const lines = note.slice(end + 2).split('\n')
  if (lines.pop() !== '' || lines.length === 0 || lines.length > maxSignatures)
    throw new LogError('note-malformed')
  return { text: note.slice(0, end + 1), signatures: lines.map(parseSignature) }
}

function parseSignature(line: string): NoteSignature {
  const match = /^— (?<name>\S+) (?<encoded>\S+)$/u.exec(line)
  const name = match?.groups?.['name'] ?? ''
  const bytes = parseBase64(match?.groups?.['encoded'] ?? '')
  if (!isKeyName(name) || bytes === undefined || bytes.length < 5)
    throw new LogError('note-malformed')
  return { name, keyId: bytes.subarray(0, 4), signature: bytes.subarray(4) }
}

function hasControls(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  return /[\u0000-\u0009\u000B-\u001F]/.test(text)
}

/**
 * Verifies that `verifier` signed the note. Signatures of other keys are ignored; each one under this key's name and
 * id must hold.
 *
 * @throws {LogError} `note-unsigned`, `note-signature`
 */
export function verifyNote(note: SignedNote, verifier: NoteVerifier): void {
  const own = note.signatures.filter(
    ({ name, keyId }) => name === verifier.name && Buffer.compare(keyId, verifier.keyId) === 0,
  )
  if (own.length === 0) throw new LogError('note-unsigned', { expected: verifier.name })
  const text = Buffer.from(note.text)
  for (const { signature } of own)
    if (!verify(null, text, verifier.key, signature)) throw new LogError('note-signature')
}
