/** How far ahead the clock of whoever signed may run, seconds. */
const skewSeconds = 10

/**
 * Whether a token is not to be taken yet. An `nbf` that is no number is one that never comes.
 *
 * @param nbf NumericDate, or undefined where the token has none
 * @param now Unix milliseconds
 * @see RFC 7519 §4.1.5
 */
export function isTooEarly(nbf: unknown, now: number): boolean {
  return nbf !== undefined && (typeof nbf !== 'number' || nbf > now / 1000 + skewSeconds)
}
