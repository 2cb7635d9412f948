import type { AuditEntry, ClientRecord } from './records.ts'

/** Just-in-time access: what agents asked to be approved, and what operators said to it. Times are Unix milliseconds. */

/** `used` is a single-use approval that was; of the rest `expiresAt` says whether it still counts. */
export type GrantRequestStatus =
  'pending' | 'approved' | 'denied' | 'withdrawn' | 'used' | 'expired'

/** Exactly what is to be approved: a request that differs in any of it is another one. */
export interface GrantRequestBinding {
  readonly agentId: string
  /** Thumbprint of the agent's key. */
  readonly jkt: string
  readonly action: string
  readonly audience: string
  /** All that the one token is for, `audience` among them; sorted. */
  readonly audiences: readonly string[]
  /** Sorted. */
  readonly scopes: readonly string[]
  /** Authorization details as they were asked for, JSON (RFC 9396); null where there were none. */
  readonly details: string | null
  /** base64url SHA-256 of the details in canonical form; null where there were none. */
  readonly detailsDigest: string | null
  /** SPIFFE ID: who asked first. */
  readonly initiator: string
  /** SPIFFE IDs: through whom, the present one first. */
  readonly actors: readonly string[]
  /** SPIFFE ID of the agent that may exchange the token; null for nobody. */
  readonly mayAct: string | null
}

/** One request of an agent to be let do what policies deny without an operator's word. */
export interface GrantRequestRecord extends GrantRequestBinding {
  readonly id: string
  /** base64url SHA-256 of the binding, canonical: the same for the same request. */
  readonly digest: string
  readonly className: string
  readonly hostId: string
  /** Ids of the policies that an approval changes. */
  readonly policies: readonly string[]
  /** The longest that an approval may count; null for once alone. */
  readonly maxMinutes: number | null
  readonly requestedAt: number
  readonly status: GrantRequestStatus
  /** Until when it waits, or the approval counts, or it is not asked again. */
  readonly expiresAt: number
  readonly decidedAt: number | null
  /** SPIFFE ID of the operator, and its id. */
  readonly decidedBy: string | null
  readonly operatorId: string | null
  readonly reason: string | null
  /** How long the approval counts; null for once. */
  readonly minutes: number | null
  readonly uses: number
  readonly usedAt: number | null
}

/** What an operator says to a request. */
export interface GrantDecision {
  readonly status: 'approved' | 'denied'
  readonly at: number
  readonly by: string
  readonly operatorId: string
  /** Thumbprint of the key that the operator spoke with. */
  readonly operatorJkt: string
  readonly reason: string
  readonly expiresAt: number
  readonly minutes: number | null
}

/** A request that is opened with the denial that it comes from. */
export interface OpenedRequest {
  readonly record: GrantRequestRecord
  /** Requests of one agent that may wait at the same time. */
  readonly limit: number
  readonly entry: AuditEntry
}

/** An approval that an act uses up: looked at once more in the transaction of the act. */
export interface UsedApproval {
  readonly id: string
  /** Whether it may have been used before. */
  readonly isReusable: boolean
  /** When it is used, and until when what is done with it lasts. */
  readonly at: number
  readonly until: number
}

export interface GrantRequestStore {
  find(id: string): Promise<GrantRequestRecord | undefined>
  /**
   * What became of this very request: the newest that is approved, denied or waiting, and in its time. An approval by an
   * operator who was revoked since is none.
   */
  findOpen(digest: string, now: number): Promise<GrantRequestRecord | undefined>
  /** Newest first. */
  list(limit: number): Promise<GrantRequestRecord[]>
  /**
   * An operator's word on one that waits. `'expired'` once its time is over, `'already'` when it is decided on,
   * `'revoked'` when agent, host or key is not in use any more, `'operator-revoked'` when the operator's is not.
   */
  decide(
    id: string,
    decision: GrantDecision,
    entry: AuditEntry,
  ): Promise<'done' | 'unknown' | 'already' | 'expired' | 'revoked' | 'operator-revoked'>
  /** Takes an approval back. `'already'` for what is no approval in its time. */
  withdraw(
    id: string,
    change: { readonly at: number; readonly by: string; readonly reason: string },
    entry: AuditEntry,
  ): Promise<'done' | 'unknown' | 'already'>
}

/** The client of a request, which is always an agent. */
export type GrantRequester = Extract<ClientRecord, { readonly kind: 'agent' }>
