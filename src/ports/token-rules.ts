import type { DetailType } from '../core/token/authorization-details.ts'

/** What a class allows its agents beyond audiences and scopes. */
export interface TokenRules {
  /** What they may ask for as authorization details (RFC 9396 §2); a type that is not here is refused. */
  readonly authorizationDetails: readonly DetailType[]
  /** Names at other authorization servers for which they may be attested. */
  readonly clientIds: readonly string[]
}
