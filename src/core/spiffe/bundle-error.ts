import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'bundle-malformed': {
    summary: 'This is not a trust bundle.',
    hint: 'See that the address is that of a SPIFFE bundle endpoint, and tell who runs it.',
    source: 'SPIFFE Trust Domain and Bundle §4',
  },
  'bundle-older': {
    summary: 'This trust bundle is older than the one that is kept.',
    hint: 'The one that is kept stays. If its issuer was set back to an earlier state, begin anew with a bundle that you checked.',
    source: 'SPIFFE Trust Domain and Bundle §4.1.1',
  },
  'bundle-differs': {
    summary: 'Two trust bundles of one sequence differ.',
    hint: 'The one that is kept stays. Ask whoever runs the other trust domain which of them is theirs.',
    source: 'SPIFFE Trust Domain and Bundle §4.1.1',
  },
} as const satisfies Record<string, ErrorRow>

/** A trust bundle that is not taken. */
export class BundleError extends CodedError<keyof typeof rows> {
  constructor(code: keyof typeof rows, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
