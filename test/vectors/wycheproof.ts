import { suites, type Suite } from './wycheproof-suites.ts'
import type { Finding, ManifestEntry } from './vector.ts'

/** A file of Project Wycheproof, the members that every one has. */
interface WycheproofFile {
  readonly schema: string
  readonly testGroups: readonly { readonly tests: readonly { readonly tcId: number }[] }[]
}

/**
 * All cases of a file, each by the function of the core that does what the file is about. `acceptable` says that both
 * verdicts are right for a library; the one expected here stands with the suite, as does what is refused by decision.
 */
export function check(entry: ManifestEntry, bytes: Uint8Array): Finding[] {
  const file = JSON.parse(Buffer.from(bytes).toString('utf8')) as WycheproofFile
  const suite: Suite | undefined = suites[file.schema]
  if (suite === undefined) return []
  return file.testGroups.flatMap(group =>
    suite(group as never).map(finding => ({ ...finding, name: `${entry.file} ${finding.name}` })),
  )
}
