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
  }),
)

const find = statement<{ id: string; subject: string }>()((db, is) =>
  db.selectFrom('challenges').selectAll().where('id', '=', is.id).where('subject', '=', is.subject),
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

/** See `AgentStore.takeChallenge`; to another subject the challenge does not exist, and it stays as it was. */
export async function takeChallenge(
  tx: Transaction,
  id: string,
  subject: string,
  now: number,
): Promise<ChallengeRow | 'unknown' | 'used' | 'expired'> {
  const challenge = await tx.first(find, { id, subject })
  if (challenge === undefined) return tx.refuse('unknown')
  if (challenge.taken !== 0) return tx.refuse('used')
  if (now >= challenge.expires_at) return tx.refuse('expired')
  return (await tx.run(take, { id })) === 1 ? challenge : tx.refuse('used')
}
