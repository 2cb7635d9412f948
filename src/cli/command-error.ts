import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'
import type { CommandAnswer } from './command.ts'

const rows = {
  'file-unreadable': {
    summary: 'The file cannot be used.',
    hint: 'See that the path is right, that this user may read it, and what it should hold.',
  },
  'policy-file': {
    summary: 'The file is not an appraisal policy.',
    hint: 'Correct the line named above; assay policy show prints one that is.',
  },
  'policy-differs': {
    summary: 'This is not the policy that was meant.',
    hint: 'Nothing was signed. Compare the file with assay policy show, and find out who changed what.',
  },
  'transaction-unknown': {
    summary: 'The audit log knows no such transaction.',
    hint: 'Give the txn of a token, as the token or its introspection says it.',
  },
  'decision-unknown': {
    summary: 'The log has no such decision.',
    hint: 'Name it by its digest, the number of its entry, or the id of the token; assay audit show lists them.',
  },
  'approval-unconfirmed': {
    summary: 'Nothing was approved yet: this is what would be.',
    hint: 'Look through the list, and give --yes when it is right.',
  },
  'log-key-absent': {
    summary: 'The verifier key of the audit log is not pinned here.',
    hint: 'Give it with --log-key, from a source that is not the log itself; assay init and assay host enroll pin it.',
    source: 'C2SP signed-note v1.0.0 §Verifier keys',
  },
  'log-unreachable': {
    summary: 'The copy of the log cannot be read.',
    hint: 'See that --url is the address below which checkpoint and tile/ lie.',
    source: 'C2SP tlog-tiles v0.1.0 §APIs',
  },
  'agent-unclear': {
    summary: 'It is not clear which agent is meant.',
    hint: 'Name it by its id; assay agent list --local shows those of this host.',
  },
  'agent-not-local': {
    summary: 'There is no key of this agent on this machine.',
    hint: 'Run the command on the host that created the agent; assay agent list --local shows those of this host.',
  },
  'attack-left': {
    summary: 'What the kit brought could not all be taken back.',
    hint: 'Send a POST with a reason to each path named above: assay host revoke, anchor retire and hsm-key retire do.',
  },
  'attack-accepted': {
    summary: 'An attack was let in, or was refused for another reason than its own.',
    hint: 'Do not run this service for others; report the rows that are marked as broken.',
  },
} as const satisfies Record<string, ErrorRow>

/**
 * What keeps a command from being carried out, before any layer below was asked; or, with an answer, a command that
 * was carried out and whose outcome is a failure: the answer is printed, and the exit code is 1.
 */
export class CommandError extends CodedError<keyof typeof rows> {
  readonly answer: CommandAnswer | undefined

  constructor(code: keyof typeof rows, facts?: ErrorFacts, answer?: CommandAnswer) {
    super(code, rows[code], facts)
    this.answer = answer
  }
}
