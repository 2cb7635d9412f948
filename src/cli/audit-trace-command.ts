import type { LoggedAct } from '../core/log/audit-entry.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandRow } from './command.ts'
import { logOptions, readVerifiedLog, type LogOptions } from './log-reading.ts'
import { renderFacts, renderTime } from './table.ts'

/** One act of a transaction: who, for whom, and through whom. */
interface TracedAct {
  readonly index: number
  readonly type: string
  readonly time: number
  /** SPIFFE ID of who asked this time, and of the agent that asked first. */
  readonly actor: string
  readonly initiator: string
  /** Actors up to this one, the oldest first; empty where nothing was passed on. */
  readonly through: readonly string[]
  /** Of the token; null for an act that made none. */
  readonly token: string | null
  readonly audiences: readonly string[]
  readonly scope: string | null
}

/** `assay audit trace` */
export const traceCommand: CommandRow = defineCommand<LogOptions>({
  name: 'trace',
  args: '<txn>',
  summary: 'Shows who asked for what through whom: all acts of one transaction, the oldest first.',
  details: [
    'A transaction begins with the token of an agent; each token in exchange for it, and what was denied or taken back on the way, carries the same id. The log is read and verified as by `assay audit verify`.',
  ],
  examples: ['assay audit trace 3nKq…', "assay audit trace 3nKq… --json | jq '.acts[].through'"],
  options: logOptions(),
  run: async ({ session, args: [txn], options }) => {
    const acts: TracedAct[] = []
    const log = await readVerifiedLog(session, options, (act, index) => {
      if (act.detail['txn'] === txn) acts.push(traceAct(act, index))
    })
    if (acts.length === 0) throw new CommandError('transaction-unknown', { found: txn ?? '' })
    return {
      json: { origin: log.origin, size: log.size, txn, acts },
      lines: acts.flatMap(renderTraced),
    }
  },
})

/** An entry as part of its transaction. */
export function traceAct(
  { type, time, actor, subject, detail }: LoggedAct,
  index: number,
): TracedAct {
  const denied = type.startsWith('authorization.') ? deniedHop(detail) : undefined
  const { aud, scope, subject: first, chain } = detail
  return {
    index,
    type,
    time,
    actor,
    initiator: denied?.initiator ?? (typeof first === 'string' ? first : actor),
    through: denied?.through ?? textsOf(chain).toReversed(),
    token: denied === undefined ? subject : null,
    audiences: denied?.audiences ?? textsOf(aud),
    scope: denied?.scope ?? (typeof scope === 'string' ? scope : null),
  }
}

type Hop = Pick<TracedAct, 'initiator' | 'through' | 'audiences' | 'scope'>

/** A hop that was refused is told by what it was decided on. */
function deniedHop({ input }: LoggedAct['detail']): Hop {
  const { audience, context } = input as {
    readonly audience: string
    readonly context: {
      readonly scopes: readonly string[]
      readonly delegation: { readonly initiator: string; readonly actors: readonly string[] }
    }
  }
  const { initiator, actors } = context.delegation
  const scope = context.scopes.join(' ')
  return { initiator, through: actors.toReversed(), audiences: [audience], scope }
}

function textsOf(value: unknown): readonly string[] {
  const all: readonly unknown[] = Array.isArray(value) ? value : [value]
  return all.filter(one => typeof one === 'string')
}

function renderTraced(act: TracedAct): string[] {
  const { index, type, time, actor, initiator, through, token, audiences, scope } = act
  return [
    `${String(index).padStart(6)}  ${renderTime(time)}  ${type}`,
    ...renderFacts([
      ['who', initiator],
      ['through', through.join(' → ') || undefined],
      ['asked by', actor],
      ['for', audiences.join(' ') || undefined],
      ['scope', scope ?? undefined],
      ['token', token ?? undefined],
    ]).map(line => `        ${line}`),
  ]
}
