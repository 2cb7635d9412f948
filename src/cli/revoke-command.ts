import { Option } from 'commander'
import { isRevocationReason, revocationReasons } from '../core/status/revocation-reason.ts'
import { defineCommand, type CommandAnswer, type CommandRow } from './command.ts'
import { connectOperator } from './operator-client.ts'
import { recordOf, type ShownRecord } from './records.ts'
import { someText, UsageError, valueOf } from './usage-error.ts'

/** What differs between the commands that revoke. */
export interface RevokeRow {
  /** How people call the target: `host`. */
  readonly noun: string
  readonly args: string
  readonly summary: string
  readonly details?: readonly string[]
  readonly example: string
  /** The member `target` of the request. */
  readonly target: (...args: readonly string[]) => Readonly<Record<string, string>>
}

interface RevokeOptions {
  readonly reason: string
  readonly reasonCode?: string
  readonly dryRun?: boolean
}

function parseReasonCode(text: string): string {
  if (isRevocationReason(text)) return text
  throw new UsageError('usage-malformed', { expected: Object.keys(revocationReasons).join(', ') })
}

/** A command `revoke` of one kind of target; all have these options and this answer. */
export function revokeCommand(row: RevokeRow): CommandRow {
  return defineCommand<RevokeOptions>({
    name: 'revoke',
    args: row.args,
    summary: row.summary,
    details: [...(row.details ?? []), 'There is no way back; --dry-run shows what would fall.'],
    examples: [row.example],
    options: [
      new Option('--reason <text>', 'for the audit log')
        .makeOptionMandatory()
        .argParser(valueOf(someText)),
      new Option('--reason-code <name>', 'as revocation lists tell it (RFC 5280 §5.3.1)').argParser(
        valueOf(parseReasonCode),
      ),
      new Option('--dry-run', 'say what would fall and change nothing'),
    ],
    run: async ({ session, args: given, options }) => {
      const args = given.map(text => text ?? '')
      const { client } = await connectOperator(session)
      const answer = await client.call('POST', '/v1/revocations', {
        target: row.target(...args),
        reason: options.reason,
        ...(options.reasonCode === undefined ? {} : { reasonCode: options.reasonCode }),
        ...(options.dryRun === true ? { dryRun: true } : {}),
      })
      return describe(row, args, recordOf(answer))
    },
  })
}

const counted = [
  ['hosts', 'host'],
  ['agents', 'agent'],
  ['certificates', 'certificate'],
  ['tokens', 'token'],
] as const

function describe(row: RevokeRow, args: readonly string[], answer: ShownRecord): CommandAnswer {
  const subject = `The ${row.noun} ${args.join(' ')}`
  if (answer['isAlready'] === true)
    return { json: answer, lines: [`${subject} was revoked before; nothing changed.`] }
  const counts = counted.map(([member, noun]) => {
    const count = Number(answer[member] ?? 0)
    return `${count} ${noun}${count === 1 ? '' : 's'}`
  })
  const fell = `${counts.slice(0, -1).join(', ')} and ${counts.at(-1)}`
  const line =
    answer['isDryRun'] === true
      ? `${subject} is as it was; revoking it would take ${fell}.`
      : `${subject} is revoked; it took ${fell}.`
  return { json: answer, lines: [line] }
}
