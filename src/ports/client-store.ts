import type { AuditEntry, ClientRecord, SubjectKind } from './records.ts'
import type { OpenedRequest, UsedApproval } from './grant-requests.ts'
import type { StatusPlace } from './status-store.ts'

/** A token that is being issued, at its place in a status list. */
export interface IssuedToken extends StatusPlace {
  readonly jti: string
  /** Thumbprint of the key or certificate that it is bound to. */
  readonly binding: string
  /** Unix milliseconds. */
  readonly expiresAt: number
}

/** A holder of a token by the key that it had, and the `jti` of that token. */
export interface ParentLink {
  readonly kind: SubjectKind
  readonly jkt: string
  readonly jti: string
  /** base64url SHA-256 of the certificate that the token is bound to, where it is. */
  readonly x5t?: string
}

/** What became of an act, or the first thing that it lacked; all but `'done'` have changed nothing. */
export type ActAnswer =
  | 'done'
  | 'replayed'
  | 'revoked'
  | 'token-revoked'
  | 'certificate-revoked'
  | 'attestation-expired'
  /** One of its approvals was used, withdrawn, or is over. */
  | 'approval-over'
  /** This request was opened meanwhile. */
  | 'request-open'
  /** As many requests of this agent wait as may. */
  | 'requests-full'

export interface ClientStore {
  /** The client for which a key speaks, whatever its status. */
  findByKey(jkt: string): Promise<ClientRecord | undefined>
  /**
   * The hot path's one write: consumes each replay key, checks inside the same transaction that the client (and an
   * agent's host) is active and attested until `attestedUntil`, and appends the entry if there is one. All or nothing.
   */
  act(action: {
    readonly client: { readonly kind: SubjectKind; readonly id: string; readonly jkt: string }
    readonly replayKeys: readonly { readonly key: string; readonly expiresAt: number }[]
    /** Unix milliseconds to which the client's host must stay attested; omit for operators. */
    readonly attestedUntil?: number
    readonly entry?: AuditEntry
    /** The `jti` of the access token that it is done with: refused once that was taken back. */
    readonly tokenId?: string
    /** base64url SHA-256 of the certificate that it is done with: refused once that was revoked. */
    readonly x5t?: string
    /** The token that is issued with it. */
    readonly issued?: IssuedToken
    /** Tokens that it descends from, and who holds them: refused once any was taken back, or its holder revoked. */
    readonly parents?: readonly ParentLink[]
    /** Approvals that it is done with, of this client and its key: each used up with it, or the act is not done. */
    readonly approvals?: readonly UsedApproval[]
    /** A request for an approval that is opened with it: with the denial, which `entry` records. */
    readonly opening?: OpenedRequest
  }): Promise<ActAnswer>
}

/** Single access tokens that were taken back before their time. */
export interface TokenStore {
  /** Kept until the token would have expired, Unix milliseconds. */
  revoke(
    jti: string,
    expiresAt: number,
    entry: AuditEntry,
    /** Its place: the list by the last part of its URI. */
    place?: { readonly list: string; readonly index: number },
  ): Promise<'done' | 'already'>
  isRevoked(jti: string): Promise<boolean>
}
