import { pino, type Logger } from 'pino'
import type { RequestLog } from '../http/app.ts'
import { UsageError } from './usage-error.ts'

/** Members that could hold what nobody may read in a log, at the top and one level down. */
const secrets = [
  'authorization',
  'dpop',
  'cookie',
  'token',
  'access_token',
  'client_assertion',
  'pin',
  'password',
  'secret',
  'privateKey',
].flatMap(name => [name, `*.${name}`])

/** The levels of ASSAY_LOG_LEVEL. */
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

/**
 * The log of a running service: JSON lines on stderr, secrets blanked out.
 *
 * @throws UsageError `usage-malformed` for a level that is none
 */
export function createServiceLog(level: string): Logger {
  if (!(logLevels as readonly string[]).includes(level)) {
    const expected = `ASSAY_LOG_LEVEL as one of ${logLevels.join(', ')}`
    throw new UsageError('usage-malformed', { expected, found: level })
  }
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: secrets, censor: '[redacted]' },
      serializers: { error: serializeError },
    },
    pino.destination({ dest: 2, sync: true }),
  )
}

function serializeError(error: unknown): unknown {
  return error instanceof Error ? pino.stdSerializers.err(error) : error
}

/** What the HTTP application reports, as lines of the log. */
export function requestLogOf(log: Logger): RequestLog {
  return { report: (level, facts, message) => log[level](facts, message) }
}
