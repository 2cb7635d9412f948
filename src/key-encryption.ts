import { join } from 'node:path'
import { loadConfig } from './config.ts'
import { loadDataDirectory } from './data-directory.ts'
import { isEncryptedKey, KeyCipher } from './hsm/key-cipher.ts'
import { KeyPassphraseError } from './hsm/key-passphrase-error.ts'
import { ServiceKeyFiles } from './key-files.ts'
import {
  advancePassphrase,
  createPassphrase,
  findPassphraseSource,
  forgetPassphrases,
  loadPassphraseFile,
  loadPassphrases,
  passphraseFiles,
  requireElsewhere,
  type PassphraseSource,
  type PassphraseSources,
} from './key-passphrase.ts'
import { withLocalStore } from './local-store.ts'
import { auditEntry, type AuditType } from './services/audit-entry.ts'

/** What was done to the keys of a data directory. */
export interface ResealedKeys {
  /** Key files that were written. */
  readonly written: number
  /** Where the passphrase is from now on. */
  readonly passphrase: PassphraseSource
}

/**
 * Encrypts the keys of a data directory from before they were; those that are encrypted stay as they are. Where no
 * passphrase is given, one is made and kept in the directory. The service must not run meanwhile. After a crash each key
 * is there, in one form or the other, and doing it again does the rest.
 *
 * @throws ConfigError, KeyPassphraseError, StoreError `store-in-use`
 */
export async function encryptKeys(
  directory: string,
  sources: PassphraseSources,
): Promise<ResealedKeys> {
  loadConfig(join(directory, 'config.yaml'))
  const cipher = new KeyCipher(() => loadPassphrases(directory, sources))
  const files = new ServiceKeyFiles(directory, cipher)
  const source = findPassphraseSource(directory, sources)
  // A new passphrase would open none of them.
  if (source === undefined && files.hasEncrypted)
    throw new KeyPassphraseError('key-passphrase-missing')
  const passphrase = source ?? 'data'
  if (files.listPlain().length === 0) return { written: 0, passphrase }
  await recordAct(directory, sources, 'keys.encrypted')
  if (source === undefined) createPassphrase(directory)
  return { written: files.reseal(isEncryptedKey), passphrase }
}

/**
 * Puts the keys of a data directory under another passphrase: that of a file, or one that is made and kept in the
 * directory. The service must not run meanwhile. After a crash some keys are under the one and some under the other;
 * doing it again does the rest.
 *
 * @param next file of the new passphrase; without it the present one must be that of the data directory
 * @throws ConfigError, KeyPassphraseError, StoreError `store-in-use`
 */
export async function changePassphrase(
  directory: string,
  sources: PassphraseSources,
  next: string | undefined,
): Promise<ResealedKeys> {
  loadConfig(join(directory, 'config.yaml'))
  const before = loadPassphrases(directory, sources)
  if (before.length === 0) throw new KeyPassphraseError('key-passphrase-missing')
  const isKept = findPassphraseSource(directory, sources) === 'data'
  if (next === undefined && !isKept)
    throw new KeyPassphraseError('key-passphrase-missing', {
      expected: '--new-passphrase-file, since the present passphrase is not kept here',
    })
  if (next !== undefined) requireElsewhere(directory, next)
  const given = next === undefined ? [] : [loadPassphraseFile(next)]
  await recordAct(directory, sources, 'keys.passphrase-changed', given)
  if (next === undefined) createPassphrase(directory, passphraseFiles.next)
  // Read once: what opened every key a moment ago is what they are put under.
  const passphrase = given[0] ?? loadPassphraseFile(join(directory, passphraseFiles.next))
  const written = reseal(directory, passphrase, before)
  if (next === undefined) advancePassphrase(directory)
  else if (isKept) forgetPassphrases(directory)
  return { written, passphrase: next === undefined ? 'data' : 'file' }
}

function reseal(directory: string, passphrase: string, before: readonly string[]): number {
  const cipher = new KeyCipher(() => [passphrase, ...before])
  const target = new KeyCipher(() => [passphrase])
  return new ServiceKeyFiles(directory, cipher).reseal(pem => target.opens(pem))
}

/** On record before the first file is touched; with it, every key was opened once. */
async function recordAct(
  directory: string,
  sources: PassphraseSources,
  type: AuditType,
  further: readonly string[] = [],
): Promise<void> {
  const data = loadDataDirectory(directory, sources, further)
  const clock = { now: () => Date.now() }
  const entry = auditEntry({ clock }, type, 'service', data.config.issuer)
  await withLocalStore(data, async store => await store.audit.append(entry))
}
