import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'jws-malformed': {
    summary: 'This is not a JWS in compact form.',
    hint: 'Send three base64url parts without padding, joined by dots, with a JSON object as header and as payload.',
    source: 'RFC 7515 §7.1',
  },
  'jws-algorithm': {
    summary: 'The signature algorithm is not accepted here.',
    hint: 'Sign with ES256 or ES384, by a key of the matching curve.',
    source: 'RFC 8725 §3.1',
  },
  'jws-signature': {
    summary: 'The signature does not verify under the key.',
    hint: 'Sign the exact header and payload that you send, with the key that you name.',
    source: 'RFC 7515 §5.2',
  },
  'jwk-malformed': {
    summary: 'The JSON Web Key is not a public EC key on P-256 or P-384.',
    hint: 'Send kty EC, crv, and both coordinates at full length in base64url.',
    source: 'RFC 7518 §6.2.1',
  },
  'jwk-private': {
    summary: 'The JSON Web Key carries a private member.',
    hint: 'Send the public key only, and treat the key you sent as lost.',
    source: 'RFC 9449 §4.2',
  },
} as const satisfies Record<string, ErrorRow>

export type JoseErrorCode = keyof typeof rows

/** A JWS or JWK that cannot be used. */
export class JoseError extends CodedError<JoseErrorCode> {
  constructor(code: JoseErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
