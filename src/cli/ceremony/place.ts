import { existsSync } from 'node:fs'
import { open, readFile, stat, type FileHandle } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
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

/** Throws CeremonyError `ceremony-output` where a file is there, or two outputs are one. */
export function requireAbsent(paths: readonly string[]): void {
  const taken = paths.find((path, index) => existsSync(path) || paths.indexOf(path) !== index)
  if (taken !== undefined) throw new CeremonyError('ceremony-output', { found: taken })
}

/**
 * Writes a new file, durable when it returns; nothing that is there is touched.
 *
 * @throws CeremonyError `ceremony-output`
 */
export async function writeOutput({ path, text, isSecret }: CeremonyOutput): Promise<void> {
  try {
    const file = await open(path, 'wx', isSecret ? 0o600 : 0o644)
    await keep(file, async () => await file.writeFile(text))
    await keep(await open(dirname(path), 'r'))
  } catch (cause) {
    throw new CeremonyError('ceremony-output', { found: path, cause })
  }
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
