import {
  access,
  constants,
  lstat,
  open,
  readFile,
  realpath,
  stat,
  type FileHandle,
} from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { decodePem, decodePemBundle } from '../../attester/pem.ts'
import { CeremonyError } from '../../core/ceremony/error.ts'
import { CommandError } from '../command-error.ts'

/** Larger than any chain, request or list of an offline authority. */
const largestInput = 1024 * 1024

/** A file that a ceremony leaves behind. */
export interface CeremonyOutput {
  readonly path: string
  readonly text: string
  /** Keys are for their owner alone. */
  readonly isSecret: boolean
}

/**
 * Sees that each file can be written, without writing: its folder is there and lets this user write, nothing has its
 * name, and no two are one, by whatever way they are named.
 *
 * @throws CeremonyError `ceremony-output`
 */
export async function requireRoom(paths: readonly string[]): Promise<void> {
  const taken = new Set<string>()
  for (const path of paths) {
    const file = join(await writableFolder(path), basename(path))
    if (taken.has(file) || (await isThere(file)))
      throw new CeremonyError('ceremony-output', { expected: 'no such file', found: path })
    taken.add(file)
  }
}

async function writableFolder(path: string): Promise<string> {
  const folder = dirname(path)
  try {
    const real = await realpath(folder)
    await access(`${real}/.`, constants.W_OK | constants.X_OK)
    return real
  } catch (cause) {
    throw new CeremonyError('ceremony-output', {
      expected: 'a folder that this user may write in',
      found: folder,
      cause,
    })
  }
}

/** A link that leads nowhere is there as well. */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw new CeremonyError('ceremony-output', { found: path, cause })
  }
}

/** Writes a new file, durable when it returns; nothing that is there is touched. */
export async function writeOutput({ path, text, isSecret }: CeremonyOutput): Promise<void> {
  const file = await open(path, 'wx', isSecret ? 0o600 : 0o644)
  await keep(file, async () => await file.writeFile(text))
  await keep(await open(dirname(path), 'r'))
}

/** Sees that what was written, or the names in a folder, are on the disk. */
async function keep(file: FileHandle, write?: () => Promise<void>): Promise<void> {
  try {
    await write?.()
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Reads the PEM blocks of a file.
 *
 * @throws CommandError `file-unreadable` for one that is absent, too large, or holds no such block
 */
export async function readBlocks(path: string, label: string): Promise<Uint8Array[]> {
  const blocks = decodePemBundle(await readInput(path, label), [label])
  if (blocks.length === 0) throw unreadable(path, `PEM of ${label}`)
  return blocks
}

/** As {@link readBlocks}, of a file with one block alone. */
export async function readBlock(path: string, label: string): Promise<Uint8Array> {
  const block = decodePem(await readInput(path, label), [label])
  if (block === undefined) throw unreadable(path, `one PEM block of ${label}`)
  return block
}

async function readInput(path: string, label: string): Promise<string> {
  try {
    const { size } = await stat(path)
    if (size <= largestInput) return await readFile(path, 'latin1')
  } catch (cause) {
    throw unreadable(path, `PEM of ${label}`, cause)
  }
  throw unreadable(path, `at most ${largestInput} bytes`)
}

function unreadable(found: string, expected: string, cause?: unknown): CommandError {
  return new CommandError('file-unreadable', { expected, found, cause })
}

/** Paths of a ceremony file are relative to its folder. */
export function placeIn(folder: string): (path: string) => string {
  return path => resolve(folder, path)
}
