import { hash } from 'node:crypto'
import { runAtOnce, type Sliced } from '../slices.ts'
import type { ImaCheckCode } from './check-rows.ts'
import { isBootAggregateName } from './boot-aggregate.ts'
import { digestText } from './digest.ts'
import type { ImaEntry } from './entry.ts'
import { isSignedFile } from './file-signature.ts'
import { entriesPerSlice } from './list.ts'
import type { ImaKeyring } from './keyring.ts'
import { matchesPath } from './path-pattern.ts'
import type { VerifiedImaList } from './verify.ts'

/** What may be measured. What no rule names is refused. */
export interface ImaRules {
  /** Digests by path, any of which is right; as `digestText` writes them: hex alone is SHA-256 of the content. */
  readonly files?:
    Readonly<Record<string, readonly string[]>> | ReadonlyMap<string, readonly string[]>
  /** Digests that are right under any path. */
  readonly digests?: ReadonlySet<string>
  /** Keys that vouch for a file, whatever its digest. */
  readonly keyring?: ImaKeyring
  /** Paths that are not looked at; see `matchesPath`. */
  readonly exclude?: readonly string[]
  /** Hex SHA-256 of measured buffers by name, such as `kexec-cmdline`. */
  readonly buffers?: Readonly<Record<string, readonly string[]>>
  /** How many violations are put up with in a boot; none by default. */
  readonly maxViolations?: number
}

/** Why one entry is refused. */
export interface ImaRefusal {
  readonly entry: number
  readonly code: Extract<
    ImaCheckCode,
    'ima-file' | 'ima-signature' | 'ima-buffer' | 'ima-violations'
  >
  /** Path or name, which belongs to the host: for its operator, not for logs. */
  readonly name: string
}

/** What the rules make of the proven entries. */
export interface ImaAppraisal {
  readonly listed: number
  readonly signed: number
  readonly excluded: number
  readonly buffers: number
  /** Violations of the whole boot, those of earlier rounds among them. */
  readonly violations: number
  readonly refused: number
  /** The first of the refused entries. */
  readonly refusals: readonly ImaRefusal[]
}

const shownRefusals = 16

/**
 * Holds the proven entries of a list against rules. Nothing is thrown: genuine Evidence that the rules dislike is an
 * outcome, and `refused` tells how many entries are of that kind.
 *
 * @see verification I3, I7
 */
export function appraiseImaList(verified: VerifiedImaList, rules: ImaRules): ImaAppraisal {
  return runAtOnce(appraiseImaListInSlices(verified, rules))
}

/** As {@link appraiseImaList}, with breaks. */
export function* appraiseImaListInSlices(
  verified: VerifiedImaList,
  rules: ImaRules,
): Sliced<ImaAppraisal> {
  const appraisal = new Appraisal(rules)
  for (const entry of verified.entries()) {
    appraisal.see(entry)
    if (entry.index % entriesPerSlice === entriesPerSlice - 1) yield
  }
  return appraisal.result(verified.state.violations)
}

type Outcome = 'listed' | 'signed' | 'excluded' | 'buffers' | 'none' | ImaRefusal['code']

class Appraisal {
  readonly #rules: ReadyRules
  readonly #counts = new Map<Outcome, number>()
  readonly #refusals: ImaRefusal[] = []
  #refused = 0

  constructor(rules: ImaRules) {
    this.#rules = readyRules(rules)
  }

  see(entry: ImaEntry): void {
    const outcome = outcomeOf(entry, this.#rules)
    this.#counts.set(outcome, this.#countOf(outcome) + 1)
    if (!outcome.startsWith('ima-')) return
    this.#refuse({ entry: entry.index, code: outcome as ImaRefusal['code'], name: entry.name })
  }

  result(violations: number): ImaAppraisal {
    const excess = violations > this.#rules.maxViolations
    if (excess) this.#refused += 1
    if (excess && this.#refusals.length < shownRefusals)
      this.#refusals.push({ entry: -1, code: 'ima-violations', name: `${violations} violations` })
    return {
      listed: this.#countOf('listed'),
      signed: this.#countOf('signed'),
      excluded: this.#countOf('excluded'),
      buffers: this.#countOf('buffers'),
      violations,
      refused: this.#refused,
      refusals: this.#refusals,
    }
  }

  #refuse(refusal: ImaRefusal): void {
    this.#refused += 1
    if (this.#refusals.length < shownRefusals) this.#refusals.push(refusal)
  }

  #countOf(outcome: Outcome): number {
    return this.#counts.get(outcome) ?? 0
  }
}

/** An excluded path is not looked at, unless what was measured under that name is not a file. */
function outcomeOf(entry: ImaEntry, rules: ReadyRules): Outcome {
  const { digest, signature, buffer, name } = entry
  if (isBootAggregateName(Buffer.from(name))) return 'none'
  // The digest of a buffer is that of its content, which is here: it is computed, not read.
  if (buffer !== undefined)
    return isListed(rules.buffers, name, hash('sha256', buffer)) ? 'buffers' : 'ima-buffer'
  if (rules.exclude.some(pattern => matchesPath(pattern, name))) return 'excluded'
  if (entry.isViolation) return 'none'
  const text = digestText(digest)
  if (rules.digests.has(text) || isListed(rules.files, name, text)) return 'listed'
  if (rules.keyring === undefined || signature === undefined) return 'ima-file'
  return isSignedFile(digest, signature, rules.keyring) ? 'signed' : 'ima-signature'
}

/** Rules with nothing left out. */
interface ReadyRules {
  readonly files: ReadonlyMap<string, readonly string[]>
  readonly digests: ReadonlySet<string>
  readonly keyring: ImaKeyring | undefined
  readonly exclude: readonly string[]
  readonly buffers: ReadonlyMap<string, readonly string[]>
  readonly maxViolations: number
}

function readyRules(rules: ImaRules): ReadyRules {
  const { files = {}, digests = new Set(), keyring, exclude = [], buffers = {} } = rules
  return {
    files: files instanceof Map ? files : new Map(Object.entries(files)),
    digests,
    keyring,
    exclude,
    buffers: new Map(Object.entries(buffers)),
    maxViolations: rules.maxViolations ?? 0,
  }
}

function isListed(
  lists: ReadonlyMap<string, readonly string[]>,
  name: string,
  digest: string,
): boolean {
  return lists.get(name)?.includes(digest) === true
}
