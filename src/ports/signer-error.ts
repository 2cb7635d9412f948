import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

const rows = {
  'signer-down': {
    summary: 'The hardware that holds the signing key does not answer now.',
    hint: 'Nothing was signed; try again in a moment. /readyz tells which key it is.',
    source: 'PKCS #11 v3.0 §5.1',
  },
  'signer-busy': {
    summary: 'More signatures wait for the hardware than it can make soon.',
    hint: 'Nothing was signed; try again in a moment.',
  },
} as const satisfies Record<string, ErrorRow>

export type SignerErrorCode = keyof typeof rows

/** A signer that cannot sign now, and may again. */
export class SignerError extends CodedError<SignerErrorCode> {
  constructor(code: SignerErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
