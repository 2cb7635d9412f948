import { ServiceError } from './error.ts'

/**
 * Turns what a store answered to `take` into the record or the refusal.
 *
 * @throws ServiceError `challenge-unknown`, `challenge-used`, `challenge-expired`
 */
export function requireTaken<T extends object>(answer: T | 'unknown' | 'used' | 'expired'): T {
  if (answer === 'unknown') throw new ServiceError('challenge-unknown')
  if (answer === 'used') throw new ServiceError('challenge-used')
  if (answer === 'expired') throw new ServiceError('challenge-expired')
  return answer
}
