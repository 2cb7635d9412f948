import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { ManifestEntry } from './vector.ts'

const verdicts = ['accept', 'refuse', 'malformed', 'suite']

/** The entries of a folder's manifest, in its order. Throws where one lacks a member that the runner needs. */
export function loadManifest(folder: string): ManifestEntry[] {
  const entries: unknown = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  if (!Array.isArray(entries)) throw new Error('manifest.json is not a list')
  return entries.map(entryOf)
}

function entryOf(value: unknown, index: number): ManifestEntry {
  const entry = (value ?? {}) as Record<string, unknown>
  for (const member of ['file', 'kind', 'verdict', 'why', 'sha256'])
    if (typeof entry[member] !== 'string')
      throw new Error(`entry ${index} of manifest.json has no ${member}`)
  if (!verdicts.includes(entry['verdict'] as string))
    throw new Error(`entry ${index} of manifest.json has an unknown verdict`)
  return value as ManifestEntry
}

/** A file of the manifest, or why it cannot be put to the test: missing, outside the folder, or another one. */
export function loadVector(folder: string, { file, sha256 }: ManifestEntry): Uint8Array | string {
  const path = resolve(folder, file)
  if (relative(folder, path).startsWith('..')) return 'lies outside the folder'
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch {
    return 'cannot be read'
  }
  const digest = createHash('sha256').update(bytes).digest('hex')
  return digest === sha256 ? bytes : `has the digest ${digest}, not that of the manifest`
}
