import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'private-file-exists': {
    summary: 'There is a file where a new one was to be written.',
    hint: 'Use the one that is there, or choose another place; a key is never overwritten.',
  },
  'private-file-missing': {
    summary: 'A private file cannot be opened.',
    hint: 'See that the path is right and that this user may read and write it.',
  },
  'private-file-exposed': {
    summary: 'Others than its owner have rights on a private file or directory.',
    hint: 'Take them away with chmod 600 (a directory: 700); a key that was open to others is to be replaced.',
  },
  'private-file-large': {
    summary: 'A private file is larger than any that is written here.',
    hint: 'See that the path is that of the file that was meant.',
  },
} as const satisfies Record<string, ErrorRow>

/** A private file that cannot be used; `found` has its path and rights, never its content. */
export class PrivateFileError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}

const largestFile = 1024 * 1024

/**
 * Reads a file that nobody else may read. Looks at the file that is open, so that no other can be put in its place.
 *
 * @throws PrivateFileError `private-file-missing`, `private-file-exposed`, `private-file-large`
 */
export async function readPrivateFile(path: string): Promise<string> {
  const file = await openFile(path, constants.O_RDONLY)
  try {
    const facts = await file.stat()
    requirePrivate(path, facts)
    if (facts.size > largestFile) throw new PrivateFileError('private-file-large', { found: path })
    return await file.readFile('utf8')
  } finally {
    await file.close()
  }
}

/**
 * Writes a new file of mode 0600, durable when it returns.
 *
 * @throws PrivateFileError `private-file-exists`, `private-file-missing`
 */
export async function createPrivateFile(path: string, text: string): Promise<void> {
  const file = await openFile(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Writes a file of mode 0600 in the place of what was there, at once: a reader sees the old text or the new one.
 *
 * @throws PrivateFileError `private-file-missing`
 */
export async function replacePrivateFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`
  await createPrivateFile(temporary, text)
  try {
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw new PrivateFileError('private-file-missing', { found: path, cause })
  }
  await syncDirectory(dirname(path))
}

/**
 * Makes a directory of mode 0700, or sees that the one there has no other rights.
 *
 * @throws PrivateFileError `private-file-missing`, `private-file-exposed`
 */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 })
    requirePrivate(path, await stat(path))
  } catch (cause) {
    if (cause instanceof PrivateFileError) throw cause
    throw new PrivateFileError('private-file-missing', { found: path, cause })
  }
}

async function openFile(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags, 0o600)
  } catch (cause) {
    const exists = (cause as NodeJS.ErrnoException).code === 'EEXIST'
    throw new PrivateFileError(exists ? 'private-file-exists' : 'private-file-missing', {
      found: path,
      cause,
    })
  }
}

function requirePrivate(path: string, { mode, uid }: { mode: number; uid: number }): void {
  const user = process.getuid?.() ?? uid
  const isOwn = uid === user || uid === 0 || user === 0
  if ((mode & 0o077) === 0 && isOwn) return
  throw new PrivateFileError('private-file-exposed', {
    expected: 'rights for its owner alone, and that the user of this process',
    found: `${path}, mode ${(mode & 0o7777).toString(8).padStart(4, '0')}, user ${uid}`,
  })
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await openFile(path, constants.O_RDONLY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
