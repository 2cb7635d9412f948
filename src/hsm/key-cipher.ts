import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPrivateKey,
  randomBytes,
  scryptSync,
} from 'node:crypto'
import { CodedError } from '../core/coded-error.ts'
import { DerReader } from '../core/der/reader.ts'
import { TAG } from '../core/der/tag.ts'
import { encodeEncryptedKey, parseEncryptedKey, scryptCost } from './encrypted-key.ts'
import type { EncryptedKey } from './encrypted-key.ts'
import { KeyPassphraseError } from './key-passphrase-error.ts'

const encryptedLabel = 'ENCRYPTED PRIVATE KEY'
const plainLabel = 'PRIVATE KEY'
const algorithm = 'aes-256-cbc'
const rememberedKeys = 16

/** Whether a text is an encrypted key; everything else is taken for a plain one. */
export function isEncryptedKey(pem: string): boolean {
  return pem.includes(`-----BEGIN ${encryptedLabel}-----`)
}

/**
 * Private keys under a passphrase, as PKCS#8 that OpenSSL reads (PBES2 with scrypt and AES-256-CBC). The files of one
 * directory share a salt, so that the passphrase is stretched once for all of them; each has an initialisation vector
 * of its own.
 */
export class KeyCipher {
  /** Of the whole process: a directory is made, loaded and followed by ciphers of its own. */
  static readonly #derived = new Map<string, Buffer>()
  readonly #passphrases: () => readonly string[]
  #salt: Uint8Array | undefined

  /** @param passphrases read whenever a key is opened or written: the first is that of new keys, the others open too */
  constructor(passphrases: () => readonly string[]) {
    this.#passphrases = passphrases
  }

  /** Whether keys can be encrypted. Throws KeyPassphraseError for a passphrase that cannot be used. */
  get isReady(): boolean {
    return this.#passphrases().length > 0
  }

  /**
   * @param key DER of a PrivateKeyInfo
   * @returns PEM
   * @throws KeyPassphraseError `key-passphrase-missing`
   */
  encrypt(key: Uint8Array): string {
    const [passphrase] = this.#passphrases()
    if (passphrase === undefined) throw new KeyPassphraseError('key-passphrase-missing')
    this.#salt ??= randomBytes(16)
    const salt = this.#salt
    const iv = randomBytes(16)
    const cipher = createCipheriv(algorithm, this.#derive(passphrase, salt), iv)
    const ciphertext = Buffer.concat([cipher.update(key), cipher.final()])
    return encodePem(encryptedLabel, encodeEncryptedKey({ salt, iv, ciphertext }))
  }

  /**
   * Opens a key, plain or encrypted.
   *
   * @param name of the file, for the error
   * @returns DER of a PrivateKeyInfo; whoever takes it must still read it
   * @throws KeyPassphraseError `key-passphrase-missing`, `key-passphrase-wrong`, `key-malformed`
   */
  open(pem: string, name: string): Uint8Array {
    if (!isEncryptedKey(pem)) return decodePem(plainLabel, pem, name)
    const der = decodePem(encryptedLabel, pem, name)
    const passphrases = this.#passphrases()
    if (passphrases.length === 0)
      throw new KeyPassphraseError('key-passphrase-missing', { found: name })
    const encrypted = parseOr(name, () => parseEncryptedKey(der))
    for (const passphrase of passphrases) {
      const key =
        encrypted === undefined
          ? openForeign(der, passphrase)
          : this.#decrypt(encrypted, passphrase)
      if (key !== undefined) return key
    }
    throw new KeyPassphraseError('key-passphrase-wrong', { found: name })
  }

  /** Whether it is encrypted, and under a passphrase of this cipher. Throws KeyPassphraseError `key-malformed`. */
  opens(pem: string): boolean {
    if (!isEncryptedKey(pem)) return false
    try {
      this.open(pem, '')
      return true
    } catch (cause) {
      if (cause instanceof KeyPassphraseError && cause.code === 'key-passphrase-wrong') return false
      throw cause
    }
  }

  #decrypt({ salt, iv, ciphertext }: EncryptedKey, passphrase: string): Buffer | undefined {
    const decipher = createDecipheriv(algorithm, this.#derive(passphrase, salt), iv)
    try {
      const key = Buffer.concat([decipher.update(ciphertext), decipher.final()])
      // One wrong passphrase in 256 ends in padding that looks right.
      requireSequence(key)
      this.#salt ??= Uint8Array.from(salt)
      return key
    } catch {
      return undefined
    }
  }

  #derive(passphrase: string, salt: Uint8Array): Buffer {
    const name = createHash('sha256').update(salt).update(passphrase).digest('hex')
    const known = KeyCipher.#derived.get(name)
    if (known !== undefined) return known
    const key = scryptSync(passphrase, salt, 32, scryptCost)
    if (KeyCipher.#derived.size >= rememberedKeys) KeyCipher.#derived.clear()
    KeyCipher.#derived.set(name, key)
    return key
  }
}

/** A key that somebody encrypted otherwise, by OpenSSL's reading. */
function openForeign(der: Uint8Array, passphrase: string): Buffer | undefined {
  try {
    const key = { key: Buffer.from(der), format: 'der', type: 'pkcs8', passphrase } as const
    return createPrivateKey(key).export({ format: 'der', type: 'pkcs8' })
  } catch {
    return undefined
  }
}

function requireSequence(der: Uint8Array): void {
  const reader = new DerReader(der)
  reader.contents(TAG.sequence)
  reader.finish()
}

function parseOr<T>(name: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause
    throw new KeyPassphraseError('key-malformed', { found: name, cause })
  }
}

/** DER as a plain PEM key: what never goes to the disk where there is a passphrase. */
export function encodePlainKey(der: Uint8Array): string {
  return encodePem(plainLabel, der)
}

function encodePem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

function decodePem(label: string, pem: string, name: string): Uint8Array {
  const form = new RegExp(
    `^-----BEGIN ${label}-----\\r?\\n([A-Za-z0-9+/=\\s]+)-----END ${label}-----\\s*$`,
  )
  const [, text] = form.exec(pem) ?? []
  if (text === undefined) throw new KeyPassphraseError('key-malformed', { found: name })
  return Buffer.from(text, 'base64')
}
