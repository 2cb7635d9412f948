import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { ConfigError } from './config.ts'

/** Writes a file that was not there, 0600, to the disk. Throws ConfigError `config-exists`, `config-unwritable`. */
export function writeSecret(directory: string, name: string, content: string | Uint8Array): void {
  const path = join(directory, name)
  try {
    writeFileSync(path, content, { mode: 0o600, flag: 'wx', flush: true })
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    throw new ConfigError(isThere ? 'config-exists' : 'config-unwritable', { found: path, cause })
  }
}

/** Puts other content into a file's place: whoever reads it, also after a crash, has the one or the other. */
export function replaceSecret(directory: string, name: string, content: string): void {
  const path = join(directory, name)
  const draft = `${path}.draft`
  try {
    rmSync(draft, { force: true })
    writeFileSync(draft, content, { mode: 0o600, flag: 'wx', flush: true })
    renameSync(draft, path)
    syncFolder(dirname(path))
  } catch (cause) {
    throw new ConfigError('config-unwritable', { found: path, cause })
  }
}

/** Takes a file away, durably; one that is not there is gone already. */
export function removeSecret(directory: string, name: string): void {
  const path = join(directory, name)
  if (!existsSync(path)) return
  rmSync(path)
  syncFolder(dirname(path))
}

/** Puts a file where nothing is read from: into `orphaned` beside it. */
export function setSecretAside(directory: string, name: string): void {
  const folder = dirname(join(directory, name))
  const aside = join(folder, 'orphaned')
  mkdirSync(aside, { recursive: true, mode: 0o700 })
  renameSync(join(directory, name), join(aside, basename(name)))
  syncFolder(aside)
  syncFolder(folder)
}

/** Makes the names in a folder durable. */
export function syncFolder(path: string): void {
  const descriptor = openSync(path, 'r')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

/** Reads a private file. Throws ConfigError `config-missing`, `config-exposed`. */
export function readSecret(directory: string, name: string): Buffer {
  const path = join(directory, name)
  try {
    const descriptor = openSync(path, 'r')
    try {
      requirePrivate(path, fstatSync(descriptor).mode)
      return readFileSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause
    throw new ConfigError('config-missing', { found: path, cause })
  }
}

/** Throws ConfigError `config-exposed` for what others than its owner may use. */
export function requirePrivate(path: string, mode: number): void {
  if ((mode & 0o077) === 0) return
  throw new ConfigError('config-exposed', {
    expected: 'no rights for others',
    found: `${path} ${(mode & 0o777).toString(8)}`,
  })
}
