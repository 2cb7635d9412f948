import type { ChallengeRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const insert = statement<ChallengeRow>()((db, is) =>
  db.insertInto('challenges').values({
    id: is.id,
    purpose: is.purpose,
    subject: is.subject,
    nonce: is.nonce,
    expires_at: is.expires_at,
    taken: is.taken,
    state_version: is.state_version,
  }),
)

/** To another subject, or for another purpose, a challenge does not exist. */
export interface ChallengeUse {
  readonly id: string
  readonly subject: string
  readonly purpose: string
}

const find = statement<ChallengeUse>()((db, is) =>
  db
    .selectFrom('challenges')
    .selectAll()
    .where('id', '=', is.id)
    .where('subject', '=', is.subject)
    .where('purpose', '=', is.purpose),
)

const take = statement<{ id: string }>()((db, is) =>
  db.updateTable('challenges').set({ taken: 1 }).where('id', '=', is.id).where('taken', '=', 0),
)

/** Puts a challenge where it can be taken once. */
export async function insertChallenge(tx: Transaction, challenge: ChallengeRow): Promise<void> {
  await tx.run(insert, challenge)
}

/** See `AgentStore.createChallenge`. */
export async function createChallenge(
  tx: Transaction,
  challenge: ChallengeRow,
  entry: string,
): Promise<'done'> {
  await insertChallenge(tx, challenge)
  tx.append(entry)
  return 'done'
}

/** See `ChallengeStore.find`. */
export async function findChallenge(
  tx: Transaction,
  use: ChallengeUse,
  now: number,
): Promise<ChallengeRow | 'unknown' | 'used' | 'expired'> {
  const challenge = await tx.first(find, use)
  if (challenge === undefined) return 'unknown'
  if (challenge.taken !== 0) return 'used'
  return now >= challenge.expires_at ? 'expired' : challenge
}

/** See `ChallengeStore.take`; what is not for this use stays as it was. */
export async function takeChallenge(
  tx: Transaction,
  use: ChallengeUse,
  now: number,
): Promise<ChallengeRow | 'unknown' | 'used' | 'expired'> {
  const challenge = await findChallenge(tx, use, now)
  if (typeof challenge === 'string') return tx.refuse(challenge)
  return (await tx.run(take, use)) === 1 ? challenge : tx.refuse('used')
}

/** See `ChallengeStore.refuse`. */
export async function refuseChallenge(
  tx: Transaction,
  use: ChallengeUse,
  now: number,
  entry: string,
): Promise<'done'> {
  if (typeof (await findChallenge(tx, use, now)) !== 'string') await tx.run(take, use)
  tx.append(entry)
  return 'done'
}
