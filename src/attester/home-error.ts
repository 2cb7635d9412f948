import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'home-empty': {
    summary: 'No service is known here.',
    hint: 'Begin with `assay init` (operator) or `assay host enroll` (host), or name the directory with --home or ASSAY_HOME.',
  },
  'home-malformed': {
    summary: 'A file of the client’s own directory cannot be used as it is.',
    hint: 'Restore the file named above, or begin anew in another directory with --home.',
  },
  'home-other-service': {
    summary: 'This directory belongs to another service.',
    hint: 'Use a directory of its own for each service, with --home or ASSAY_HOME.',
  },
} as const satisfies Record<string, ErrorRow>

/** A client's own directory that cannot be used. */
export class HomeError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
