/** What a token is to be for. */
export interface WantedToken {
  /** RFC 8707 §2. */
  readonly resource?: string | undefined
  readonly scope?: string | undefined
  /** Authorization details (RFC 9396 §2). */
  readonly details?: readonly unknown[] | undefined
  /** SPIFFE ID of the one agent that may exchange it (RFC 8693 §4.4). */
  readonly mayAct?: string | undefined
  /** The token of another agent, to act for it (RFC 8693 §2.1). */
  readonly subjectToken?: string | undefined
}

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** The form of a request to the token endpoint (RFC 6749 §4.4.2, RFC 8693 §2.1); what is left out is the service's choice. */
export function tokenParameters({
  resource,
  scope,
  details,
  mayAct,
  subjectToken,
}: WantedToken): URLSearchParams {
  const parameters = new URLSearchParams(
    subjectToken === undefined
      ? { grant_type: 'client_credentials' }
      : {
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          subject_token: subjectToken,
          subject_token_type: accessTokenType,
        },
  )
  const authorization_details = details && JSON.stringify(details)
  const wanted = { resource, scope, may_act: mayAct, authorization_details }
  for (const [name, value] of Object.entries(wanted))
    if (value !== undefined) parameters.set(name, value)
  return parameters
}
