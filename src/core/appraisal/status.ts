/**
 * Trustworthiness tiers, with the number that stands for each in a CBOR claim.
 *
 * @see draft-ietf-rats-ar4si-06 §3.2
 */
export const tiers = { affirming: 2, none: 0, warning: 32, contraindicated: 96 } as const

/** A tier; `none` claims nothing and decides nothing. */
export type AppraisalStatus = keyof typeof tiers

const gravity: Readonly<Record<AppraisalStatus, number>> = {
  none: 0,
  affirming: 1,
  warning: 2,
  contraindicated: 3,
}

/** The worst of several; `none` when nobody claims anything. */
export function worstStatus(statuses: readonly AppraisalStatus[]): AppraisalStatus {
  return statuses.reduce<AppraisalStatus>(
    (worst, status) => (gravity[status] > gravity[worst] ? status : worst),
    'none',
  )
}

/** Whether a verdict is as good as a policy asks. What claims nothing is never good enough. */
export function isAtLeast(status: AppraisalStatus, minimum: 'affirming' | 'warning'): boolean {
  return status !== 'none' && gravity[status] <= gravity[minimum]
}
