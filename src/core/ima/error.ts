import { CodedError, type ErrorFacts } from '../coded-error.ts'
import { imaFormatRows } from './check-rows.ts'

export type ImaErrorCode = keyof typeof imaFormatRows

/** Bytes that are no list of measurements. The code is that of the check that it fails. */
export class ImaError extends CodedError<ImaErrorCode> {
  constructor(code: ImaErrorCode, facts?: ErrorFacts) {
    super(code, imaFormatRows[code], facts)
  }
}
