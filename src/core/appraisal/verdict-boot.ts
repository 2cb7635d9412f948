import type { BootFacts } from '../eventlog/boot-facts.ts'
import type { AggregateStanding } from '../ima/aggregate-check.ts'
import type { ImaFacts } from './rules/ima.ts'

/** The first of a list, and how long it is. */
export interface Excerpt<T> {
  readonly first: readonly T[]
  readonly total: number
}

/** What was started, or read by a loader; the name is the log's word alone. */
export interface NamedDigest {
  /** Hex SHA-256. */
  readonly digest: string
  readonly hint: string | null
}

/** Facts of a boot that a person may read, as far as the quote has shown them. */
export interface VerdictBoot {
  /** Null where it cannot be proven either way. */
  readonly secureBoot: boolean | null
  readonly databases: readonly { readonly name: string; readonly entries: number }[]
  /** By what images were verified. */
  readonly authorities: Excerpt<{ readonly database: string; readonly sha256: string }>
  readonly firmwareVersion: string | null
  /** Programs that were started, in their order. */
  readonly images: Excerpt<NamedDigest>
  /** Files that a loader read. */
  readonly files: Excerpt<NamedDigest>
  /** Sections of a unified kernel image. */
  readonly sections: Excerpt<NamedDigest>
  /** Texts that can have been the command line of a kernel. */
  readonly commandLines: Excerpt<string>
  readonly hasExitedBootServices: boolean
  readonly provenPcrs: readonly number[]
  readonly unexplainedPcrs: readonly number[]
  readonly quirks: readonly string[]
}

/** What the list of IMA shows, in numbers. */
export interface VerdictIma {
  readonly proven: number
  readonly unproven: number
  readonly refused: number
  readonly violations: number
  readonly bootAggregate: AggregateStanding
}

const mostShown = 8
const longestText = 400

/** The facts of a boot as a verdict keeps them: bounded, whatever a log holds. */
export function verdictBoot(facts: BootFacts): VerdictBoot {
  const { secureBoot, firmware, images, bootLoader, unifiedKernel } = facts
  const { files, commandLines } = bootLoader
  const { version, hasExitedBootServices } = firmware
  return {
    secureBoot: secureBoot.isEnabled ?? null,
    databases: databasesOf(secureBoot),
    authorities: excerpt(secureBoot.authorities, ({ database, sha256 }) => ({
      database: shorten(database),
      sha256,
    })),
    firmwareVersion: version?.text ?? null,
    images: excerpt(images, ({ digest, fileHint }) => named(digest, fileHint)),
    files: excerpt(files, ({ digest, nameHint }) => named(digest, nameHint)),
    sections: excerpt(unifiedKernel?.sections ?? [], ({ digest, name }) => named(digest, name)),
    commandLines: excerpt(commandLines, ({ text }) => shorten(text)),
    hasExitedBootServices,
    provenPcrs: facts.provenPcrs,
    unexplainedPcrs: facts.unexplainedPcrs,
    quirks: facts.quirks,
  }
}

/** The numbers of a list of IMA. */
export function verdictIma({ proven, unproven, bootAggregate, appraisal }: ImaFacts): VerdictIma {
  const { refused, violations } = appraisal
  return { proven, unproven, refused, violations, bootAggregate }
}

function databasesOf({ databases }: BootFacts['secureBoot']): VerdictBoot['databases'] {
  return Object.entries(databases).map(([name, { entries }]) => ({ name, entries: entries.length }))
}

function named(digest: string, hint: string | undefined): NamedDigest {
  return { digest, hint: hint === undefined ? null : shorten(hint) }
}

function excerpt<T, U>(items: readonly T[], show: (item: T) => U): Excerpt<U> {
  return { first: items.slice(0, mostShown).map(show), total: items.length }
}

function shorten(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text
}
