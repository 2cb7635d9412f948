import type { Option } from 'commander'
import type { Session } from './session.ts'

/** What a command found or did, for people and for machines. */
export interface CommandAnswer {
  /** The one document that `--json` prints. */
  readonly json: unknown
  /** What people read instead. */
  readonly lines: readonly string[]
  /** Whether the answer is one of something that did not hold: it is shown all the same, and the exit code says it. */
  readonly isFailure?: boolean
}

/** One call of a command. */
export interface CommandCall<Options> {
  readonly session: Session
  /** In the order of the command's arguments; undefined where an optional one was left out. */
  readonly args: readonly (string | undefined)[]
  readonly options: Options
}

/** One command, as data: what its help says and what it does. */
export interface CommandRow<Options = object> {
  /** The word, such as `add` in `anchor add`. */
  readonly name: string
  /** Arguments as commander writes them: `<file>`, `[id]`. */
  readonly args?: string
  readonly summary: string
  /** Paragraphs that help needs beyond summary and options. */
  readonly details?: readonly string[]
  /** Whole command lines. */
  readonly examples: readonly string[]
  readonly options?: readonly Option[]
  /** Whether the command prints for itself, while it runs. */
  readonly run: (call: CommandCall<Options>) => Promise<CommandAnswer | undefined>
}

/** Commands about one thing: `anchor`, and inside it `crl`. */
export interface CommandGroup {
  readonly name: string
  readonly summary: string
  readonly commands: readonly (CommandRow | CommandGroup)[]
}

/** A command whose options have this form; commander gives them as its rows declare. */
export function defineCommand<Options extends object>(row: CommandRow<Options>): CommandRow {
  return row as unknown as CommandRow
}
