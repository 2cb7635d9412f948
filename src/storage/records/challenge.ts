import type { ChallengeRecord } from '../../ports/credential-records.ts'
import type { ChallengeRow } from '../schema.ts'
import { exactBytes } from './bytes.ts'

export function encodeChallenge(challenge: ChallengeRecord): ChallengeRow {
  return {
    id: challenge.id,
    purpose: challenge.purpose,
    subject: challenge.subject,
    nonce: exactBytes(challenge.nonce),
    expires_at: challenge.expiresAt,
    taken: 0,
    state_version: challenge.stateVersion,
  }
}

export function parseChallenge(row: ChallengeRow): ChallengeRecord {
  return {
    id: row.id,
    purpose: row.purpose as ChallengeRecord['purpose'],
    subject: row.subject,
    nonce: row.nonce,
    expiresAt: row.expires_at,
    stateVersion: row.state_version,
  }
}
