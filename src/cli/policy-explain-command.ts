import { Option } from 'commander'
import { printable } from '../attester/remote-error.ts'
import type { Decider } from '../core/authorization/decide.ts'
import {
  decisionsOf,
  type DecisionRecord,
  type ReplayedDecision,
} from '../core/authorization/replay.ts'
import type { LoggedAct } from '../core/log/audit-entry.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { readVerifiedLog, type LogOptions } from './log-reading.ts'
import { connectOperator } from './operator-client.ts'
import { cellOf, recordOf } from './records.ts'
import type { Session } from './session.ts'
import { renderFacts, renderTime } from './table.ts'
import { UsageError } from './usage-error.ts'

/** A decision with its place in the log. */
interface LoggedDecision {
  readonly index: number
  readonly act: LoggedAct
  readonly record: DecisionRecord
}

/** What the log says of a version: which text, under which schema. */
interface LoggedSet {
  readonly policy: unknown
  readonly schema: unknown
}

interface ExplainOptions extends LogOptions {
  readonly all?: boolean
}

/** `assay policy explain` */
export const explainCommand: CommandRow = defineCommand<ExplainOptions>({
  name: 'explain',
  args: '[decision]',
  summary:
    'Makes a past decision again from the audit log, and says which policies decided and why.',
  details: [
    'Reads and verifies the log, finds the decision by its digest, by the id of the token, the serial of the certificate or the number of the entry, takes the policy set that was in force from the service, holds it against the digest in the log, and decides once more here. An answer that differs ends with an error.',
    'With --all every decision in the log is made again.',
  ],
  examples: ['assay policy explain 3nKq…', 'assay policy explain --all'],
  options: [
    new Option('--all', 'make every decision in the log again'),
    new Option('--url <url>', 'a copy of the log to read instead of the service’s own'),
    new Option('--log-key <key>', 'verifier key of the log (default: the pinned one)'),
  ],
  run: async ({ session, args: [wanted], options }) => {
    if ((wanted === undefined) === (options.all !== true))
      throw new UsageError('usage-missing', { expected: 'a decision, or --all' })
    const { decisions, sets } = await readDecisions(session, options, wanted)
    const replay = await createReplay(session, sets)
    if (wanted === undefined) return answerAll(decisions, replay)
    const found = decisions.at(-1)
    if (found === undefined) throw new CommandError('decision-unknown', { found: wanted })
    return answerOne(found, await replay(found.record))
  },
})

async function readDecisions(
  session: Session,
  options: LogOptions,
  wanted: string | undefined,
): Promise<{ decisions: LoggedDecision[]; sets: Map<number, LoggedSet> }> {
  const decisions: LoggedDecision[] = []
  const sets = new Map<number, LoggedSet>()
  await readVerifiedLog(session, options, (act, index) => {
    if (act.type === 'authorization.activated') {
      const { policy, schema } = act.detail
      sets.set(Number(act.subject.replace('authorization/', '')), { policy, schema })
    }
    for (const record of decisionsOf(act)) {
      const names = [record.decision, String(index), act.subject, act.detail['serial']]
      if (wanted === undefined || names.includes(wanted)) decisions.push({ index, act, record })
    }
  })
  return { decisions, sets }
}

interface Replayed extends ReplayedDecision {
  readonly decider: Decider
}

type Replay = (record: DecisionRecord) => Promise<Replayed>

/** Sets are fetched once each, and are what the log says that was activated. */
async function createReplay(session: Session, sets: Map<number, LoggedSet>): Promise<Replay> {
  const { Decider } = await import('../core/authorization/decide.ts')
  const { AuthorizationPolicySet } = await import('../core/authorization/policy-set.ts')
  const { AuthorizationError } = await import('../core/authorization/error.ts')
  const { replayDecision } = await import('../core/authorization/replay.ts')
  const { loadSchema } = await import('./policy-set-file.ts')
  const [schema, { client }] = [await loadSchema(), await connectOperator(session)]
  const known = new Map<number, Decider>()
  const load = async (version: number): Promise<Decider> => {
    const logged = sets.get(version)
    if (logged?.schema !== schema.id)
      throw new AuthorizationError('decision-schema', {
        expected: schema.id,
        found: `version ${version}`,
      })
    const answer = recordOf(await client.call('GET', `/v1/authorization/policies/${version}`))
    const set = AuthorizationPolicySet.prepare(cellOf(answer, 'document'), version, schema)
    if (set.id !== logged.policy)
      throw new CommandError('policy-differs', { expected: String(logged.policy), found: set.id })
    return new Decider(set)
  }
  return async record => {
    const decider = known.get(record.set) ?? (await load(record.set))
    known.set(record.set, decider)
    return { ...replayDecision(decider, record), decider }
  }
}

async function answerAll(
  decisions: readonly LoggedDecision[],
  replay: Replay,
): Promise<CommandAnswer> {
  const differing: number[] = []
  for (const { index, record } of decisions)
    if (!(await replay(record)).isSame) differing.push(index)
  const lines = [
    `${decisions.length} decisions made again; ${differing.length} came out otherwise.`,
    ...differing.map(index => `  entry ${index}`),
  ]
  return {
    json: { decisions: decisions.length, differing },
    lines,
    isFailure: differing.length > 0,
  }
}

function answerOne({ index, act, record }: LoggedDecision, replayed: Replayed): CommandAnswer {
  const { answer, isSame, decider } = replayed
  const { action, principal, audience, context } = record.input
  const policies = decider.set.policies.filter(({ id }) => record.policies.includes(id))
  const { set, decision, outcome } = record
  const shown = policies.map(({ id, effect, description, text }) => ({
    id,
    effect,
    description,
    text,
  }))
  return {
    json: { index, type: act.type, ...record, recomputed: answer, isSame, policies: shown },
    isFailure: !isSame,
    lines: [
      `${outcome === 'allow' ? 'Permitted' : 'Refused'}${isSame ? ', and once more so from the log alone.' : '. Made again it comes out otherwise.'}`,
      ...renderFacts([
        ['decision', decision],
        ['entry', `${index} ${act.type}`],
        ['time', renderTime(context.time)],
        ['who', `${principal.kind} ${principal.id}`],
        ['what', `${action} for ${audience} ${context.scopes.join(' ')}`.trimEnd()],
        ['from', context.sourceAddress ?? undefined],
        ['policy set', `version ${set}`],
        ['decided by', record.policies.join(', ') || 'no policy: nothing permits it'],
        ['failure', answer.errors.join('; ') || undefined],
      ]),
      ...policies.flatMap(({ text, description }) => [
        '',
        ...(description === null ? [] : [printable(`  // ${description}`)]),
        ...text.split('\n').map(line => `  ${printable(line)}`),
      ]),
      '',
      'What it was decided on:',
      ...JSON.stringify({ principal, context }, undefined, 2)
        .split('\n')
        .map(line => `  ${printable(line)}`),
    ],
  }
}
