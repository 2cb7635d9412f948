/** How a token is tied to its holder: by DPoP key (RFC 9449 §6.1) or by certificate (RFC 8705 §3.1). */
export type Confirmation = { readonly jkt: string } | { readonly 'x5t#S256': string }

/** Whether a `cnf` ties a token in exactly one of the two ways. */
export function isConfirmation(cnf: unknown): cnf is Confirmation {
  if (typeof cnf !== 'object' || cnf === null) return false
  const members = Object.entries(cnf)
  const [name, value] = members[0] ?? []
  return (
    members.length === 1 && (name === 'jkt' || name === 'x5t#S256') && typeof value === 'string'
  )
}
