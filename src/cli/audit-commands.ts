import { Option } from 'commander'
import type { LoggedAct } from '../core/log/audit-entry.ts'
import { encodeCanonicalJson } from '../core/log/canonical-json.ts'
import { printable } from '../attester/remote-error.ts'
import { defineCommand, type CommandGroup, type CommandRow } from './command.ts'
import { traceCommand } from './audit-trace-command.ts'
import { logOptions, readVerifiedLog, type LogOptions, type ReadLogResult } from './log-reading.ts'
import { renderFacts, renderTime } from './table.ts'
import { UsageError, valueOf, wholeNumber } from './usage-error.ts'

const verify: CommandRow = defineCommand<LogOptions>({
  name: 'verify',
  summary:
    'Recomputes the audit log from its first entry and holds it against its signed checkpoint.',
  details: [
    'Reads the entries and tiles over HTTP, recomputes the tree, and verifies the checkpoint’s signature by the key that was pinned when this home came to know the service. The checkpoint is kept; the next time the log must extend it. A log that shrank or was rewritten is refused.',
    'Needs an operator or auditor, who may read entries; a copy at --url is read without any key.',
  ],
  examples: ['assay audit verify', 'assay audit verify --url https://mirror.example/assay-audit'],
  options: logOptions(),
  run: async ({ session, options }) => {
    const log = await readVerifiedLog(session, options, () => undefined)
    const { origin, size, keySource, trustedSize } = log
    const rootHash = Buffer.from(log.rootHash).toString('base64')
    return {
      json: { origin, size, rootHash, keySource, trustedSize: trustedSize ?? null },
      lines: [
        `The log holds: ${size} entries, recomputed to the root that it signed.`,
        ...factsOf(log),
      ],
    }
  },
})

function factsOf({ origin, rootHash, keySource, trustedSize }: ReadLogResult): string[] {
  return renderFacts([
    ['log', origin],
    ['root', Buffer.from(rootHash).toString('base64')],
    [
      'signed by',
      keySource === 'pinned' ? 'the key that is pinned here' : 'the key that was given',
    ],
    [
      'extends',
      trustedSize === undefined
        ? 'nothing yet: this is the first check from here'
        : `what was verified before, ${trustedSize} entries`,
    ],
  ])
}

interface ShowOptions extends LogOptions {
  readonly type?: string
  readonly subject?: string
  readonly actor?: string
  readonly since?: number
  readonly limit: number
}

/** An entry with its place in the log. */
interface ShownAct extends LoggedAct {
  readonly index: number
}

const show: CommandRow = defineCommand<ShowOptions>({
  name: 'show',
  summary: 'Shows entries of the audit log, the newest last; only what was verified is shown.',
  examples: [
    'assay audit show --type host --since 24h',
    "assay audit show --subject 5Jw0… --json | jq '.entries[].type'",
  ],
  options: [
    new Option('--type <type>', 'acts of this type, host.enrolled, or of this family, host'),
    new Option('--subject <id>', 'acts upon this host, agent, operator or other subject'),
    new Option('--actor <id>', 'acts by this operator, host or agent'),
    new Option('--since <time>', 'ISO 8601, or so long ago: 30m, 24h, 7d').argParser(
      valueOf(text => parseSince(text, Date.now())),
    ),
    new Option('--limit <number>', 'at most so many, the newest')
      .default(50)
      .argParser(valueOf(wholeNumber(1, 100_000))),
    ...logOptions(),
  ],
  run: async ({ session, options }) => {
    const shown: ShownAct[] = []
    const log = await readVerifiedLog(session, options, (act, index) => {
      if (!isWanted(act, options)) return
      shown.push({ index, ...act })
      if (shown.length > options.limit) shown.shift()
    })
    return {
      json: { origin: log.origin, size: log.size, entries: shown },
      lines: shown.length === 0 ? ['No entry fits.'] : shown.flatMap(renderAct),
    }
  },
})

/** Unix milliseconds. Throws UsageError `usage-malformed`. */
export function parseSince(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count !== undefined && unit !== undefined) {
    const seconds = { s: 1, m: 60, h: 3_600, d: 86_400 }[unit] ?? 0
    return now - Number(count) * seconds * 1000
  }
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time))
    throw new UsageError('usage-malformed', { expected: 'ISO 8601 or 30m, 24h, 7d', found: text })
  return time
}

/** Whether an entry passes all filters that were given. */
export function isWanted(
  act: LoggedAct,
  { type, subject, actor, since }: Omit<ShowOptions, 'limit'>,
): boolean {
  const isType = type === undefined || act.type === type || act.type.startsWith(`${type}.`)
  const isSubject = subject === undefined || act.subject === subject
  const isActor = actor === undefined || act.actor === actor
  return isType && isSubject && isActor && (since === undefined || act.time >= since)
}

function renderAct({ index, type, time, actor, subject, detail }: ShownAct): string[] {
  const facts = Object.entries(detail).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : encodeCanonicalJson(value)}`,
  )
  return [
    `${String(index).padStart(6)}  ${renderTime(time)}  ${printable(type)}  ${printable(subject)}`,
    `        by ${printable(actor)}${facts.length === 0 ? '' : `; ${printable(facts.join(' '))}`}`,
  ]
}

/** `assay audit` */
export const auditCommands: CommandGroup = {
  name: 'audit',
  summary: 'The audit log: every act of the service, in a tree that anybody can recompute.',
  commands: [verify, show, traceCommand],
}
