/** What operators write down of subjects, for authorization policies to read. Times are Unix milliseconds. */

/** What an operator wrote down of a host, for policies. */
export interface HostLabelsRecord {
  readonly hostId: string
  readonly labels: readonly string[]
  readonly setAt: number
  readonly setBy: string
}

/** Of what a risk score can be. */
export type RiskSubject = 'host' | 'agent' | 'class' | 'operator'

/** A risk score: whose, by whom, why, and until when it counts. */
export interface RiskRecord {
  readonly kind: RiskSubject
  readonly subjectId: string
  /** 1 to 100. */
  readonly score: number
  readonly reason: string
  readonly setAt: number
  readonly setBy: string
  readonly expiresAt: number
}
