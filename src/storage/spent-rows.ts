/** What counts once: the `jti` of a proof or an assertion, under the key that signed it. */
export interface ReplayKeyRow {
  key: string
  expires_at: number
}

/** An access token that its holder gave back before its time. */
export interface RevokedTokenRow {
  jti: string
  expires_at: number
}
