import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { KeyPassphraseError } from './hsm/key-passphrase-error.ts'
import { readSecret, removeSecret, replaceSecret } from './private-files.ts'

/** Where the passphrase of the keys may come from besides the data directory; neither is the passphrase itself. */
export interface PassphraseSources {
  /** ASSAY_KEY_PASSPHRASE_FILE. */
  readonly file?: string | undefined
  /** $CREDENTIALS_DIRECTORY, where systemd puts what LoadCredential= names. */
  readonly credentials?: string | undefined
}

/** In the data directory: the passphrase that `assay init` makes where there is no other, and the one that follows it. */
export const passphraseFiles = { current: 'passphrase', next: 'passphrase.next' } as const
const credential = 'assay-key-passphrase'
/** OpenSSL reads as much of a line. */
const longest = 1000

/** Where the passphrase comes from: the first source that is there, in the order of the documentation. */
export type PassphraseSource = 'file' | 'credential' | 'data'

/** Which source counts; undefined where there is none. A file that is named and absent is not passed over. */
export function findPassphraseSource(
  directory: string,
  sources: PassphraseSources,
): PassphraseSource | undefined {
  if (sources.file !== undefined) return 'file'
  const { credentials } = sources
  if (credentials !== undefined && existsSync(join(credentials, credential))) return 'credential'
  const isKept = Object.values(passphraseFiles).some(name => existsSync(join(directory, name)))
  return isKept ? 'data' : undefined
}

/**
 * The passphrases that open the keys of a data directory, that of new keys first; none where there is no source.
 *
 * @throws KeyPassphraseError `key-passphrase-missing`, `key-passphrase-exposed`, `key-passphrase-unusable`
 */
export function loadPassphrases(directory: string, sources: PassphraseSources): string[] {
  const source = findPassphraseSource(directory, sources)
  if (source === undefined) return []
  if (source === 'file') return [loadPassphraseFile(sources.file ?? '')]
  // systemd keeps others away from the folder, and shows the mask of an access list as rights of the group.
  if (source === 'credential')
    return [parsePassphrase(readFileSync(join(sources.credentials ?? '', credential)), credential)]
  return [passphraseFiles.current, passphraseFiles.next]
    .filter(name => existsSync(join(directory, name)))
    .map(name => parsePassphrase(readSecret(directory, name), name))
}

/** The passphrase that a file of its own holds. Throws as {@link loadPassphrases}. */
export function loadPassphraseFile(path: string): string {
  if (!existsSync(path)) throw new KeyPassphraseError('key-passphrase-missing', { found: path })
  const descriptor = openSync(path, 'r')
  try {
    if ((fstatSync(descriptor).mode & 0o077) !== 0)
      throw new KeyPassphraseError('key-passphrase-exposed', { found: path })
    return parsePassphrase(readFileSync(descriptor), path)
  } finally {
    closeSync(descriptor)
  }
}

/**
 * Refuses a file that is, by whatever name, one of the data directory's own: these go when the passphrase comes from
 * elsewhere, and with them the only copy.
 *
 * @throws KeyPassphraseError `key-passphrase-place`
 */
export function requireElsewhere(directory: string, path: string): void {
  const given = statSync(path, { throwIfNoEntry: false })
  for (const name of Object.values(passphraseFiles)) {
    const own = statSync(join(directory, name), { throwIfNoEntry: false })
    if (own !== undefined && own.dev === given?.dev && own.ino === given.ino)
      throw new KeyPassphraseError('key-passphrase-place', { found: path })
  }
}

/** One line, as `openssl -passin file:` reads it; what would be read there otherwise is refused. */
function parsePassphrase(bytes: Uint8Array, name: string): string {
  const text = Buffer.from(bytes)
    .toString('utf8')
    .replace(/\r?\n$/, '')
  const isLine = text !== '' && !/[\r\n\0\uFFFD]/.test(text)
  if (!isLine || Buffer.byteLength(text) > longest)
    throw new KeyPassphraseError('key-passphrase-unusable', { found: name })
  return text
}

/** Makes a passphrase of 256 bits in the data directory; the one that follows another waits beside it. */
export function createPassphrase(
  directory: string,
  name: (typeof passphraseFiles)[keyof typeof passphraseFiles] = passphraseFiles.current,
): void {
  if (existsSync(join(directory, name))) return
  replaceSecret(directory, name, `${randomBytes(32).toString('base64url')}\n`)
}

/** Makes the next passphrase the only one, once no key needs the one before. */
export function advancePassphrase(directory: string): void {
  const next = readSecret(directory, passphraseFiles.next).toString('utf8')
  replaceSecret(directory, passphraseFiles.current, next)
  removeSecret(directory, passphraseFiles.next)
}

/** Takes the passphrases of the data directory away, once another source opens every key. */
export function forgetPassphrases(directory: string): void {
  for (const name of Object.values(passphraseFiles)) removeSecret(directory, name)
}
