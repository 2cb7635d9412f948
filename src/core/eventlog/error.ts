import { CodedError, type ErrorFacts } from '../coded-error.ts'
import { eventLogFormatRows } from './check-rows.ts'

export type EventLogErrorCode = keyof typeof eventLogFormatRows

/** Bytes that are no event log, or one that contradicts itself. The code is that of the check that it fails. */
export class EventLogError extends CodedError<EventLogErrorCode> {
  constructor(code: EventLogErrorCode, facts?: ErrorFacts) {
    super(code, eventLogFormatRows[code], facts)
  }
}
