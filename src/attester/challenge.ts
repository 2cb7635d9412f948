import type { ProtectedCredential } from '../core/tpm/make-credential.ts'
import { Answer } from './answer.ts'
import { AttesterError } from './error.ts'

/** What a key is certified with, once: for an agent's key, or within an enrolment. */
export interface KeyChallenge {
  readonly id: string
  readonly nonce: Uint8Array
  /** The service's issuer, compared with the one that was asked. */
  readonly audience: string
}

/** What an enrolment is answered with. */
export interface EnrollmentChallenge extends KeyChallenge {
  readonly credential: ProtectedCredential
  /** PCRs of the SHA-256 bank to quote. */
  readonly pcrs: readonly number[]
}

const nonceLength = 16

/**
 * Reads a challenge for a key, and sees that it is of the service that was asked: a service that passes on the
 * challenge of another would enrol this host there.
 *
 * @throws AttesterError `answer-malformed`, `challenge-foreign`
 * @see verification X1
 */
export function parseKeyChallenge(value: unknown, issuer: string): KeyChallenge {
  const answer = new Answer(value, 'challenge')
  const audience = answer.text('audience')
  if (audience !== issuer) {
    throw new AttesterError('challenge-foreign', { expected: issuer, found: audience })
  }
  return { id: answer.id('id'), nonce: answer.octets('nonce', nonceLength), audience }
}

/**
 * Reads the challenge of an enrolment.
 *
 * @throws AttesterError `answer-malformed`, `challenge-foreign`
 */
export function parseEnrollmentChallenge(value: unknown, issuer: string): EnrollmentChallenge {
  const answer = new Answer(value, 'challenge')
  return {
    ...parseKeyChallenge(value, issuer),
    credential: {
      credentialBlob: answer.octets('credentialBlob'),
      encryptedSecret: answer.octets('encryptedSecret'),
    },
    pcrs: answer.within('pcrSelection').list('sha256', readPcr),
  }
}

function readPcr(value: unknown, place: string): number {
  const isPcr = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 24
  if (!isPcr) throw new AttesterError('answer-malformed', { expected: `${place}: a PCR number` })
  return value
}
