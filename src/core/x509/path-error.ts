import { CodedError, type ErrorFacts } from '../coded-error.ts'
import { pathRows, type PathCode } from './path-rows.ts'

/** No path that holds leads to a trust anchor; the code names the rule that the best candidate broke. */
export class PathError extends CodedError<PathCode> {
  constructor(code: PathCode, facts?: ErrorFacts) {
    super(code, pathRows[code], facts)
  }
}
