/** One key that signs tokens, as it is kept. */
export interface TokenKeyRow {
  /** RFC 7638 thumbprint. */
  kid: string
  /** DER SubjectPublicKeyInfo. */
  public_key: Uint8Array
  key_reference: string
  created_at: number
  created_by: string
  signs_from: number
  /** Null while no key follows it. */
  published_until: number | null
  withdrawn_at: number | null
  withdrawn_by: string | null
  reason: string | null
}
