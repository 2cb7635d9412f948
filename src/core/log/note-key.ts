import { createPrivateKey, createPublicKey, hash, type KeyObject } from 'node:crypto'
import { encodeBase64, parseBase64 } from './base64.ts'
import { LogError } from './log-error.ts'

/** Signature type identifier of Ed25519. C2SP signed-note v1.0.0 §Signature types. */
const ed25519 = 0x01

/** DER SubjectPublicKeyInfo of an Ed25519 key up to its 32 bytes. RFC 8410 §4. */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** Who signs a note: name, 32-bit key id and Ed25519 key. C2SP signed-note v1.0.0 §Verifier keys. */
export interface NoteVerifier {
  readonly name: string
  /** Four bytes. */
  readonly keyId: Uint8Array
  readonly key: KeyObject
}

/** Key ID = SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key)[:4]. C2SP signed-note v1.0.0 §Ed25519 signatures. */
function keyIdOf(name: string, publicKey: Uint8Array): Uint8Array {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(ed25519), publicKey])
  return new Uint8Array(hash('sha256', input, 'buffer').subarray(0, 4))
}

/** Whether a key may carry this name: not empty, no Unicode space, no plus. C2SP signed-note v1.0.0 §Format. */
export function isKeyName(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  return name.isWellFormed() && /^[^\s+\u0000-\u001F\u0085]+$/u.test(name)
}

/**
 * The verifier of a raw Ed25519 public key (32 bytes) under a name.
 *
 * @throws {LogError} `note-key-malformed`
 */
export function createNoteVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  if (!isKeyName(name) || publicKey.length !== 32) throw new LogError('note-key-malformed')
  const der = Buffer.concat([spkiPrefix, publicKey])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  return { name, keyId: keyIdOf(name, publicKey), key }
}

/**
 * Parses `name+hash+base64(0x01 ‖ key)`. C2SP signed-note v1.0.0 §Verifier keys.
 *
 * @throws {LogError} `note-key-malformed`, also where the hash is not that of name and key
 */
export function parseVerifierKey(text: string): NoteVerifier {
  const [name, id, encoded] = splitVerifierKey(text)
  const bytes = parseBase64(encoded)
  if (bytes === undefined || bytes[0] !== ed25519 || bytes.length !== 33)
    throw new LogError('note-key-malformed')
  const verifier = createNoteVerifier(name, bytes.subarray(1))
  if (Buffer.from(verifier.keyId).toString('hex') !== id)
    throw new LogError('note-key-malformed', { expected: 'the hash of name and key' })
  return verifier
}

function splitVerifierKey(text: string): [string, string, string] {
  // The base64 alphabet has a plus of its own: only the first two divide.
  const first = text.indexOf('+')
  const second = text.indexOf('+', first + 1)
  if (first < 0 || second < 0) throw new LogError('note-key-malformed')
  return [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)]
}

/** What {@link parseVerifierKey} parses. */
export function encodeVerifierKey({ name, keyId, key }: NoteVerifier): string {
  const typed = Buffer.concat([Buffer.of(ed25519), rawPublicKey(key)])
  return `${name}+${Buffer.from(keyId).toString('hex')}+${encodeBase64(typed)}`
}

/** The 32 bytes of an Ed25519 public key. */
function rawPublicKey(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('an Ed25519 key is needed')
  const der = key.export({ format: 'der', type: 'spki' })
  return new Uint8Array(der.subarray(spkiPrefix.length))
}

/**
 * The verifier of an Ed25519 public key (DER SubjectPublicKeyInfo) under a name.
 *
 * @throws {LogError} `note-key-malformed`
 */
export function verifierOfSpki(name: string, spki: Uint8Array): NoteVerifier {
  const prefix = spki.subarray(0, spkiPrefix.length)
  if (Buffer.compare(prefix, spkiPrefix) !== 0) throw new LogError('note-key-malformed')
  return createNoteVerifier(name, spki.subarray(spkiPrefix.length))
}

/**
 * The verifier that belongs to an Ed25519 private key (PKCS#8 DER) under a name.
 *
 * @throws {LogError} `note-key-malformed`
 */
export function verifierOfPrivateKey(name: string, pkcs8: Uint8Array): NoteVerifier {
  return createNoteVerifier(name, rawPublicKey(createPublicKey(loadPkcs8(pkcs8))))
}

/**
 * An Ed25519 private key from PKCS#8 DER.
 *
 * @throws {LogError} `note-key-malformed`
 */
export function loadPkcs8(pkcs8: Uint8Array): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  } catch (cause) {
    throw new LogError('note-key-malformed', { cause })
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new LogError('note-key-malformed')
  return key
}
