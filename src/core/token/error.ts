import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const rows = {
  'token-malformed': {
    summary: 'The access token cannot be read.',
    hint: 'Send the token exactly as the token endpoint gave it.',
    source: 'RFC 9068 §4',
  },
  'token-unknown-key': {
    summary: 'No known key signed this access token.',
    hint: 'Fetch a token from this issuer; a verifier refreshes the key set and tries once more.',
    source: 'RFC 9068 §4',
  },
  'token-signature': {
    summary: 'The signature of the access token does not verify.',
    hint: 'Fetch a new token.',
    source: 'RFC 9068 §4',
  },
  'token-issuer': {
    summary: 'The access token comes from another issuer.',
    hint: 'Fetch a token from the issuer that this resource trusts.',
    source: 'RFC 9068 §4',
  },
  'token-audience': {
    summary: 'The access token is for another audience.',
    hint: 'Ask the token endpoint for this resource by its name.',
    source: 'RFC 9068 §4',
  },
  'token-expired': {
    summary: 'The access token has expired.',
    hint: 'Fetch a new one; tokens live for minutes by design.',
    source: 'RFC 9068 §4',
  },
  'token-early': {
    summary: 'The access token is not to be used yet.',
    hint: 'Set the clock of this machine; where it is right, ask the issuer.',
    source: 'RFC 7519 §4.1.5',
  },
  'token-scope': {
    summary: 'The access token does not carry the scope that this call needs.',
    hint: 'Ask for a token with that scope; what a client may have is decided by its role or class.',
    source: 'RFC 6750 §3.1',
  },
  'token-unbound': {
    summary: 'The access token was presented without the proof that its binding asks for.',
    hint: 'Send it with the scheme DPoP and a proof by its key, or over mutual TLS with its certificate.',
    source: 'RFC 9449 §7.1, RFC 8705 §3',
  },
  'token-certificate': {
    summary: 'The access token is bound to another certificate than the one of this connection.',
    hint: 'Present the certificate that the token was fetched with.',
    source: 'RFC 8705 §3',
  },
  'token-inactive': {
    summary: 'The access token, or the client that it was issued to, is no longer active.',
    hint: 'Ask the operator why the host or agent was revoked; a revoked identity does not come back.',
    source: 'RFC 7662 §2.2',
  },
  'delegation-depth': {
    summary: 'The token was passed on as often as it may be.',
    hint: 'Let an earlier agent of the chain do it, or begin with a token of your own.',
    source: 'RFC 8693 §4.1',
  },
  'delegation-actor': {
    summary: 'The actor token is not one that was issued to the caller itself.',
    hint: 'Leave it out, or send an access token of your own that was not passed on to you.',
    source: 'RFC 8693 §2.1',
  },
  'delegation-may-act': {
    summary: 'The subject token names somebody else who may act for its subject.',
    hint: 'Ask whoever the token belongs to for one that names this agent.',
    source: 'RFC 8693 §4.4',
  },
  'delegation-kind': {
    summary: 'Tokens of agents alone are passed on, and to agents alone.',
    hint: 'Exchange the token of an agent, as an agent.',
  },
  'delegation-own-api': {
    summary: 'A token that was passed on is of no use at the service’s own API.',
    hint: 'Call with a token of your own.',
  },
  'dpop-missing': {
    summary: 'There is no DPoP proof.',
    hint: 'Send exactly one DPoP header with a proof signed for this request.',
    source: 'RFC 9449 §4.3',
  },
  'dpop-malformed': {
    summary: 'The DPoP proof cannot be read.',
    hint: 'Send a JWS of type dpop+jwt with jwk in the header and jti, htm, htu and iat in the payload.',
    source: 'RFC 9449 §4.2',
  },
  'dpop-signature': {
    summary: 'The DPoP proof is not signed by the key that it names.',
    hint: 'Sign the proof with the private half of the jwk in its header.',
    source: 'RFC 9449 §4.3',
  },
  'dpop-method': {
    summary: 'The DPoP proof is for another HTTP method.',
    hint: 'Make a proof for this request.',
    source: 'RFC 9449 §4.3',
  },
  'dpop-url': {
    summary: 'The DPoP proof is for another URL.',
    hint: 'Set htu to the URL of this request without query and fragment, as the service names itself.',
    source: 'RFC 9449 §4.3',
  },
  'dpop-time': {
    summary: 'The DPoP proof was made too long ago or in the future.',
    hint: 'Set the clock of this machine, then make a fresh proof.',
    source: 'RFC 9449 §11.1',
  },
  'dpop-nonce': {
    summary: 'The DPoP proof lacks the nonce of this server, or carries an old one.',
    hint: 'Take the nonce from the DPoP-Nonce header of this answer and try once more.',
    source: 'RFC 9449 §8',
  },
  'dpop-token-hash': {
    summary: 'The DPoP proof was made for another access token.',
    hint: 'Set ath to the hash of the token that goes with the proof.',
    source: 'RFC 9449 §4.3',
  },
  'dpop-key': {
    summary: 'The DPoP proof is signed by another key than the one the token is bound to.',
    hint: 'Sign with the key that fetched the token; a token without its key is of no use.',
    source: 'RFC 9449 §4.3',
  },
  'dpop-replayed': {
    summary: 'This DPoP proof was used before.',
    hint: 'Make a fresh proof with a new jti for each request.',
    source: 'RFC 9449 §11.1',
  },
  'assertion-malformed': {
    summary: 'The client assertion cannot be read or lacks a claim.',
    hint: 'Send a JWT with iss and sub the client id, aud this issuer, jti, iat and an exp at most minutes away.',
    source: 'RFC 7523 §3',
  },
  'assertion-signature': {
    summary: 'The client assertion is not signed by the attested key of the client.',
    hint: 'Sign it with the same key as the DPoP proof.',
    source: 'RFC 7523 §3',
  },
  'assertion-audience': {
    summary: 'The audience of the client assertion is not this issuer alone.',
    hint: 'Set aud to the issuer as the metadata document names it, and to nothing else.',
    source: 'RFC 7523 §3, OAuth RFC 7523bis',
  },
  'assertion-time': {
    summary: 'The client assertion has expired or lives too long.',
    hint: 'Set the clock, and let assertions live five minutes at most.',
    source: 'RFC 7523 §3',
  },
  'assertion-replayed': {
    summary: 'This client assertion was used before.',
    hint: 'Make a new one with a fresh jti for each request.',
    source: 'RFC 7523 §3',
  },
  'svid-malformed': {
    summary: 'The JWT-SVID cannot be read or lacks a claim.',
    hint: 'Send a JWT-SVID of this trust domain, with sub, aud and exp, and no header but alg, kid and typ.',
    source: 'JWT-SVID §2, §3',
  },
  'svid-signature': {
    summary: 'The JWT-SVID is not signed by a key of this trust domain.',
    hint: 'Fetch a new one; bundles of other trust domains are admitted by operators, never taken from a client.',
    source: 'draft-ietf-oauth-spiffe-client-auth-02',
  },
  'svid-audience': {
    summary: 'The audience of the JWT-SVID is not this issuer alone.',
    hint: 'Fetch one whose one audience is the issuer as the metadata document names it.',
    source: 'draft-ietf-oauth-spiffe-client-auth-02',
  },
  'svid-expired': {
    summary: 'The JWT-SVID has expired.',
    hint: 'Fetch a new one; they live for minutes.',
    source: 'JWT-SVID §3.3',
  },
  'svid-early': {
    summary: 'The JWT-SVID is not to be used yet.',
    hint: 'Set the clock of this machine; where it is right, ask whoever issued it.',
    source: 'RFC 7519 §4.1.5',
  },
  'client-attestation-malformed': {
    summary:
      'The client attestation, or its proof of possession, cannot be read or lacks a member.',
    hint: 'Send each header once, with the typ, claims and public cnf.jwk that the draft asks for.',
    source: 'draft-ietf-oauth-attestation-based-client-auth-10 §4, §5.1',
  },
  'client-attestation-signature': {
    summary: 'The client attestation or its proof of possession is not signed by the right key.',
    hint: 'Have the attestation made by this service, and sign the proof with the key that it names.',
    source: 'draft-ietf-oauth-attestation-based-client-auth-10 §7.1, §7.2',
  },
  'client-attestation-expired': {
    summary: 'The client attestation is too old.',
    hint: 'Fetch a fresh one with `assay agent attestation`.',
    source: 'draft-ietf-oauth-attestation-based-client-auth-10 §7.4',
  },
  'client-attestation-early': {
    summary: 'The client attestation is not to be used yet.',
    hint: 'Set the clock of this machine; where it is right, fetch a fresh one.',
    source: 'RFC 7519 §4.1.5',
  },
  'client-attestation-key': {
    summary:
      'The client attestation names another key, or another client, than the proof beside it.',
    hint: 'Sign the proof with the key of the attestation, and let the client keep the key it was attested with.',
    source: 'draft-ietf-oauth-attestation-based-client-auth-10 §7.3',
  },
  'client-attestation-audience': {
    summary: 'The proof of possession is for another server.',
    hint: 'Set aud to the issuer as the metadata document names it, and to nothing else.',
    source: 'draft-ietf-oauth-attestation-based-client-auth-10 §7.2',
  },
  'client-attestation-time': {
    summary: 'The proof of possession was made too long ago or in the future.',
    hint: 'Set the clock of this machine, then make a fresh proof.',
    source: 'draft-ietf-oauth-attestation-based-client-auth-10 §7.2',
  },
  'client-attestation-challenge': {
    summary: 'The proof of possession lacks the challenge of this server, or carries an old one.',
    hint: 'Take the one from the OAuth-Client-Attestation-Challenge header of this answer and try once more.',
    source: 'draft-ietf-oauth-attestation-based-client-auth-10 §6.1',
  },
  'client-attestation-replayed': {
    summary: 'This proof of possession was used before.',
    hint: 'Make a fresh one with a new jti for each request.',
    source: 'draft-ietf-oauth-attestation-based-client-auth-10 §12.1',
  },
} as const satisfies Record<string, ErrorRow>

export type TokenErrorCode = keyof typeof rows

/** An access token, DPoP proof or client assertion that is refused. */
export class TokenError extends CodedError<TokenErrorCode> {
  constructor(code: TokenErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
