import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** Evidence from real machines and other projects' suites: beside the repository, never inside it. */
export const vectorsFolder: string = resolve(import.meta.dirname, '../../../shared/vectors')

/** Whether a folder has the form of {@link vectorsFolder}. A clone without one still passes its tests. */
export function hasVectors(folder: string = vectorsFolder): boolean {
  return existsSync(join(folder, 'manifest.json'))
}

/** What is said, once, where the vectors are not there. */
export function absenceOf(folder: string): string {
  return `There are no vectors in ${folder}; the tests on them did not run.`
}
