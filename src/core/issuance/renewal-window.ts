/** When a certificate is to be renewed: at a moment between the two, Unix milliseconds. RFC 9773 §4.2. */
export interface RenewalWindow {
  readonly start: number
  readonly end: number
}

/**
 * What pulls a renewal forward, and over which part of a certificate's life those are spread that it reaches all at
 * once; zero for what does not wait.
 */
export const renewalCauses = {
  /** The certificate is revoked, or what it rests on, its authority among it. */
  revoked: 0,
  /** Its authority is trusted still and is to be left. */
  'authority-tainted': 0,
  /** Another authority issues by now. */
  'authority-retired': 1 / 6,
  /** An appraisal or authorization policy came into force after it was decided on. */
  'policy-changed': 1 / 12,
} as const

export type RenewalCauseName = keyof typeof renewalCauses

/** That there is a cause, and since when. */
export interface RenewalCause {
  readonly name: RenewalCauseName
  /** Unix milliseconds. */
  readonly at: number
}

/** A window with the cause that moved it; undefined for that of a certificate that only grows old. */
export interface SuggestedWindow extends RenewalWindow {
  readonly reason: RenewalCauseName | undefined
}

const [windowStart, windowEnd] = [2 / 3, 5 / 6]

/**
 * When a certificate is to be renewed: between two thirds and five sixths of its life, or earlier for the cause that
 * asks for it first. A window that is over says: at once.
 *
 * @see RFC 9773 §4.2
 */
export function suggestWindow(
  { notBefore, notAfter }: { readonly notBefore: number; readonly notAfter: number },
  causes: readonly RenewalCause[] = [],
): SuggestedWindow {
  const life = notAfter - notBefore
  const usual = {
    start: notBefore + life * windowStart,
    end: notBefore + life * windowEnd,
    reason: undefined,
  }
  const pulled = causes.map(({ name, at }) => {
    const start = Math.max(at, notBefore)
    return { start, end: start + life * renewalCauses[name], reason: name }
  })
  return [usual, ...pulled].reduce((first, one) => (one.end < first.end ? one : first))
}

/**
 * The moment inside a window that a holder renews at.
 *
 * @param jitter from 0 up to 1: drawn evenly, so that those who have one window do not come at once
 * @see RFC 9773 §4.2
 */
export function renewalMoment({ start, end }: RenewalWindow, jitter: number): number {
  return start + (end - start) * jitter
}
