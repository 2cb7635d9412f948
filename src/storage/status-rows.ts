/** One Token Status List, filled by one process. */
export interface StatusListRow {
  number: number
  /** Last part of its URI. */
  name: string
  size: number
  /** Grows with each change. */
  version: number
  opened_at: number
  /** From then on no token is put into it. */
  closes_at: number
  /** From then on no token in it is in its time. */
  expires_at: number
}

/** A token that was issued, at its place in a list. */
export interface TokenRow {
  list: number
  idx: number
  jti: string
  subject_id: string
  /** Thumbprint of the key or certificate that it is bound to. */
  binding: string
  expires_at: number
  revoked_at: number | null
  revocation: number | null
}

/** A token in exchange, and one of those behind it. */
export interface TokenParentRow {
  /** `jti` of the token behind it. */
  parent: string
  list: number
  idx: number
}
