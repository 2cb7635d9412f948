import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { absenceOf, hasVectors, vectorsFolder } from '../support/vectors.ts'
import { loadManifest, loadVector } from './manifest.ts'
import { failedIn, linesOf, reportOf, type Difference, type KindReport } from './report.ts'
import type { CheckVector, Finding, ManifestEntry } from './vector.ts'

/**
 * Puts every file of a folder to the test of its kind, `<kind>.ts` beside this file. Nothing is skipped: a kind
 * without a module, a file that is missing or altered and a file that nothing was found out about are differences.
 */
export async function runVectors(folder: string): Promise<KindReport[]> {
  const kinds = Map.groupBy(loadManifest(folder), entry => entry.kind)
  const reports: KindReport[] = []
  for (const [kind, entries] of kinds) reports.push(await runKind(folder, kind, entries))
  return reports
}

async function runKind(
  folder: string,
  kind: string,
  entries: readonly ManifestEntry[],
): Promise<KindReport> {
  const check = await loadCheck(kind)
  const findings: Finding[] = []
  const unchecked: Difference[] = []
  for (const entry of entries) {
    const outcome =
      check === undefined ? 'no module knows this kind' : await runEntry(folder, entry, check)
    if (typeof outcome === 'string') unchecked.push({ kind, name: entry.file, detail: outcome })
    else findings.push(...outcome)
  }
  return reportOf(kind, findings, unchecked)
}

async function loadCheck(kind: string): Promise<CheckVector | undefined> {
  if (!/^[a-z0-9-]+$/.test(kind)) return undefined
  const path = join(import.meta.dirname, `${kind}.ts`)
  if (!existsSync(path)) return undefined
  const module = (await import(path)) as { readonly check?: CheckVector }
  return module.check
}

async function runEntry(
  folder: string,
  entry: ManifestEntry,
  check: CheckVector,
): Promise<Finding[] | string> {
  const bytes = loadVector(folder, entry)
  if (typeof bytes === 'string') return bytes
  try {
    const findings = await check(entry, bytes, folder)
    return findings.length === 0 ? 'nothing was checked' : findings
  } catch (error) {
    return `the check itself failed: ${error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'}`
  }
}

/** `node test/vectors/run.ts [DIR]`: prints how each kind came out; exit code 1 where anything differs. */
async function main(argument: string | undefined): Promise<void> {
  const folder = argument === undefined ? vectorsFolder : resolve(argument)
  if (!hasVectors(folder)) return console.log(absenceOf(folder))
  const reports = await runVectors(folder)
  console.log(linesOf(reports).join('\n'))
  if (failedIn(reports) > 0) process.exitCode = 1
}

if (import.meta.main) await main(process.argv[2])
