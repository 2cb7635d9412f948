import { Option } from 'commander'
import type { Decider } from '../core/authorization/decide.ts'
import { decisionsOf } from '../core/authorization/replay.ts'
import type { LoggedAct } from '../core/log/audit-entry.ts'
import { CommandError } from './command-error.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { readVerifiedLog, type LogOptions } from './log-reading.ts'
import { connectOperator } from './operator-client.ts'
import {
  explainDecision,
  isBacked,
  type LoggedDecision,
  type Replayed,
} from './explained-decision.ts'
import { cellOf, recordOf } from './records.ts'
import type { Session } from './session.ts'
import { UsageError } from './usage-error.ts'

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
    'Reads and verifies the log, finds the decision by its digest, by the id of the token, the serial of the certificate or the number of the entry, takes the policy set that was in force from the service, holds it against the digest in the log, and decides once more here. An answer that differs, or an approval that the log does not have, ends with an error.',
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
    return explainDecision(found, await replay(found))
  },
})

async function readDecisions(
  session: Session,
  options: LogOptions,
  wanted: string | undefined,
): Promise<{ decisions: LoggedDecision[]; sets: Map<number, LoggedSet> }> {
  const decisions: LoggedDecision[] = []
  const sets = new Map<number, LoggedSet>()
  const approvals = new Map<string, LoggedAct>()
  await readVerifiedLog(session, options, (act, index) => {
    if (act.type === 'authorization.activated') {
      const { policy, schema } = act.detail
      sets.set(Number(act.subject.replace('authorization/', '')), { policy, schema })
    }
    if (act.type === 'grant.approved') approvals.set(act.subject, act)
    for (const record of decisionsOf(act)) {
      const names = [record.decision, String(index), act.subject, act.detail['serial']]
      const approval = approvals.get(record.grant ?? '')
      if (wanted === undefined || names.includes(wanted))
        decisions.push({ index, act, record, approval })
    }
  })
  return { decisions, sets }
}

type Replay = (decision: LoggedDecision) => Promise<Replayed>

/** Sets are fetched once each, and are what the log says that was activated. */
async function createReplay(session: Session, sets: Map<number, LoggedSet>): Promise<Replay> {
  const { Decider } = await import('../core/authorization/decide.ts')
  const { AuthorizationPolicySet } = await import('../core/authorization/policy-set.ts')
  const { AuthorizationError } = await import('../core/authorization/error.ts')
  const { replayDecision } = await import('../core/authorization/replay.ts')
  const { findApprovable } = await import('../core/authorization/approval.ts')
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
  return async ({ record, approval }) => {
    const decider = known.get(record.set) ?? (await load(record.set))
    known.set(record.set, decider)
    const { answer, isSame } = replayDecision(decider, record)
    const approvable = findApprovable(decider, record.input, answer)
    return { answer, isSame: isSame && isBacked(record, approval), approvable, decider }
  }
}

async function answerAll(
  decisions: readonly LoggedDecision[],
  replay: Replay,
): Promise<CommandAnswer> {
  const differing: number[] = []
  for (const decision of decisions)
    if (!(await replay(decision)).isSame) differing.push(decision.index)
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
