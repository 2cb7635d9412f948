/**
 * Why a credential was taken back: names and values of CRLReason that are given here. `certificateHold` and
 * `removeFromCRL` are not among them, since there is no way back; nor is 7, which nobody uses.
 *
 * @see RFC 5280 §5.3.1
 */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
  aACompromise: 10,
} as const

export type RevocationReason = keyof typeof revocationReasons

/** Whether a text is one of {@link revocationReasons}. */
export function isRevocationReason(text: string): text is RevocationReason {
  return Object.hasOwn(revocationReasons, text)
}
