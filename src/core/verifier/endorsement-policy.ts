/** How much an issuer's word on revocation counts. */
export type RevocationMode = 'record' | 'require' | 'off'

/** What an operator may decide about certificates of endorsement keys; what is not said is the first of its values. */
export interface EndorsementPolicy {
  /**
   * What becomes of a certificate whose own time is over, while the path above it holds: many makers issue for ten
   * years, and machines live longer (verification E13).
   */
  readonly expired?: 'refuse' | 'tolerate'
  /**
   * Whether somebody must have said that no certificate of the path is revoked. `record`: where nobody has, that
   * stands in the verdict. A certificate that is known to be revoked is refused by both (verification E9). `off`: no
   * list or response is looked at, and that stands in the verdict.
   */
  readonly revocation?: RevocationMode
  /** As `revocation`, by the vendor label of the anchor: `{ "id:494E5443": "require" }`. */
  readonly revocationByVendor?: Readonly<Record<string, RevocationMode>>
  /** How old a list or response may be, whatever it says itself; 30 days where not said. */
  readonly revocationMaxAgeSeconds?: number
}

/** What the policy says of revocation below an anchor of this vendor. */
export function revocationModeOf(policy: EndorsementPolicy, vendor: string): RevocationMode {
  return policy.revocationByVendor?.[vendor] ?? policy.revocation ?? 'record'
}
