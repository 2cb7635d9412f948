import { EvidenceError } from '../verifier/error.ts'
import type { EventLog } from './event-log.ts'
import type { ExplanationRules } from './explain.ts'
import type { QuotedBank } from './quote.ts'
import { verifyEventLog, type VerifiedEventLog } from './verify.ts'

/**
 * Which of several logs leads to quoted values, by itself; undefined where none does. Windows keeps one log for each
 * cold boot and each resume; matches of different logs are never put together (verification L10).
 */
export function findEventLog(
  logs: readonly EventLog[],
  quoted: readonly QuotedBank[],
  rules: ExplanationRules = {},
): number | undefined {
  const index = logs.findIndex(log => isExplanation(log, quoted, rules))
  return index < 0 ? undefined : index
}

/**
 * Verifies the one log that Evidence names among those that it brings.
 *
 * @param named index into `logs`
 * @throws EvidenceError as {@link verifyEventLog}; `eventlog-another-boot` where another of the logs explains the quote
 */
export function verifyNamedEventLog(
  logs: readonly EventLog[],
  named: number,
  quoted: readonly QuotedBank[],
  rules: ExplanationRules = {},
): VerifiedEventLog {
  const log = logs[named]
  if (log === undefined) throw new TypeError('the named log is one of the logs')
  try {
    return verifyEventLog(log, quoted, rules)
  } catch (cause) {
    const isMismatch = cause instanceof EvidenceError && cause.code === 'eventlog-pcr-differs'
    const other = isMismatch ? findEventLog(logs, quoted, rules) : undefined
    if (!isMismatch || other === undefined) throw cause
    const facts = { expected: `log ${other}`, found: `log ${named}`, cause }
    throw new EvidenceError('eventlog-another-boot', cause.checks, facts)
  }
}

function isExplanation(
  log: EventLog,
  quoted: readonly QuotedBank[],
  rules: ExplanationRules,
): boolean {
  try {
    verifyEventLog(log, quoted, rules)
    return true
  } catch (cause) {
    if (cause instanceof EvidenceError) return false
    throw cause
  }
}
