import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { KeyFiles } from './hsm/authority-keys.ts'
import { encodePlainKey, isEncryptedKey, KeyCipher } from './hsm/key-cipher.ts'
import { encodePrivacyKey } from './hsm/privacy-key.ts'
import {
  readSecret,
  removeSecret,
  replaceSecret,
  setSecretAside,
  syncFolder,
  writeSecret,
} from './private-files.ts'

const keyFolders = ['ca', 'keys'] as const
const keySuffix = '.key.pem'

/** Of a directory from before keys were encrypted: 32 bytes, and where they are once they are. */
export const privacyKeyFiles = { plain: 'keys/privacy.bin', key: 'keys/privacy.key.pem' } as const

/** The private keys of a data directory, encrypted where there is a passphrase. Names are relative to the directory. */
export class ServiceKeyFiles {
  readonly #directory: string
  readonly #cipher: KeyCipher

  constructor(directory: string, cipher: KeyCipher) {
    this.#directory = directory
    this.#cipher = cipher
  }

  /**
   * @returns PEM of a plain PrivateKeyInfo
   * @throws ConfigError `config-missing`, `config-exposed`; KeyPassphraseError
   */
  read(name: string): string {
    return encodePlainKey(this.open(name))
  }

  /** As {@link read}: DER of the PrivateKeyInfo. */
  open(name: string): Uint8Array {
    return this.#cipher.open(readSecret(this.#directory, name).toString('utf8'), name)
  }

  /** Writes a key that was not there, durably. In a directory whose keys are plain it is plain as well. */
  write(name: string, pem: string): void {
    writeSecret(this.#directory, name, this.#seal(pem, name))
  }

  /** The keys of one folder, for whom it is. */
  folder(folder: (typeof keyFolders)[number]): KeyFiles {
    const place = (name: string): string => join(folder, name)
    return {
      list: () => listKeys(this.#directory, folder),
      read: name => this.read(place(name)),
      write: (name, pem) => {
        this.write(place(name), pem)
        syncFolder(join(this.#directory, folder))
      },
      setAside: name => setSecretAside(this.#directory, place(name)),
      destroy: name => removeSecret(this.#directory, place(name)),
    }
  }

  /** Names of all private keys. */
  list(): string[] {
    return keyFolders.flatMap(folder =>
      listKeys(this.#directory, folder).map(name => join(folder, name)),
    )
  }

  /** Names of those that anybody could use who has the files. */
  listPlain(): string[] {
    const { plain } = privacyKeyFiles
    const keys = this.list().filter(name => !this.#isEncrypted(name))
    return [...keys, ...(this.#has(plain) ? [plain] : [])]
  }

  /** Whether a passphrase is needed. */
  get hasEncrypted(): boolean {
    return this.list().some(name => this.#isEncrypted(name))
  }

  #isEncrypted(name: string): boolean {
    return isEncryptedKey(readSecret(this.#directory, name).toString('utf8'))
  }

  /**
   * Puts every key under the passphrase of new keys, one file after the other; a crash leaves each as it was or as it
   * is to be, and doing it again does the rest.
   *
   * @param done that a key is under the right passphrase already
   * @returns how many files were written
   */
  reseal(done: (pem: string) => boolean): number {
    const names = this.list().filter(
      name => !done(readSecret(this.#directory, name).toString('utf8')),
    )
    for (const name of names)
      replaceSecret(this.#directory, name, this.#cipher.encrypt(this.open(name)))
    return names.length + this.#resealPrivacyKey()
  }

  /** The new file first: as long as both are there, it is the one that is read. */
  #resealPrivacyKey(): number {
    const { plain, key } = privacyKeyFiles
    if (!this.#has(plain)) return 0
    if (!this.#has(key)) {
      const bytes = encodePrivacyKey(readSecret(this.#directory, plain))
      replaceSecret(this.#directory, key, this.#cipher.encrypt(bytes))
    }
    removeSecret(this.#directory, plain)
    return 1
  }

  #has(name: string): boolean {
    return existsSync(join(this.#directory, name))
  }

  #seal(pem: string, name: string): string {
    // Where one key is encrypted all are: without a passphrase the cipher refuses, and nothing is written in clear.
    if (!this.#cipher.isReady && !this.hasEncrypted) return pem
    return this.#cipher.encrypt(this.#cipher.open(pem, name))
  }
}

function listKeys(directory: string, folder: string): string[] {
  return readdirSync(join(directory, folder)).filter(name => name.endsWith(keySuffix))
}
