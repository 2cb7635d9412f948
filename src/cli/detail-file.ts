import { readFile } from 'node:fs/promises'
import { CommandError } from './command-error.ts'

/** Authorization details of a file (RFC 9396): a JSON array. Throws CommandError `file-unreadable`. */
export async function loadDetails(path: string): Promise<readonly unknown[]> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    if (Array.isArray(value)) return value as readonly unknown[]
  } catch (cause) {
    throw new CommandError('file-unreadable', { expected: 'a JSON array', found: path, cause })
  }
  throw new CommandError('file-unreadable', { expected: 'a JSON array', found: path })
}
