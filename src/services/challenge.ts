import type { ChallengeRecord, ChallengeUse } from '../ports/credential-records.ts'
import type { HostRecord } from '../ports/records.ts'
import { ServiceError } from './error.ts'
import { createId } from './naming.ts'
import type { Service } from './service.ts'

/** A nonce to have the hardware prove a key with, once. */
export interface KeyChallenge {
  readonly id: string
  readonly nonce: Uint8Array
  readonly audience: string
  readonly expiresAt: number
}

/** Makes a challenge for one key of a host or its agent; it knows what was known of the host. */
export function createKeyChallenge(
  service: Service,
  host: HostRecord,
  { purpose, subject }: Pick<ChallengeUse, 'purpose' | 'subject'>,
): ChallengeRecord {
  return {
    id: createId(service),
    purpose,
    subject,
    nonce: service.random.bytes(32),
    expiresAt: service.clock.now() + service.settings.attestation.challengeSeconds * 1000,
    stateVersion: host.stateVersion,
  }
}

/** A challenge as who is challenged sees it. */
export function keyChallengeView(service: Service, record: ChallengeRecord): KeyChallenge {
  const { id, nonce, expiresAt } = record
  return { id, nonce, audience: service.settings.issuer, expiresAt }
}

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
