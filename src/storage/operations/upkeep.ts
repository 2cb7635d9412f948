import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

/** Rows deleted in one transaction, so that a large sweep never holds up other work for long. */
const sweepLimit = 2_000

const ping = statement<object>()(db =>
  db
    .insertInto('health')
    .values({ id: 1, pings: 1 })
    .onConflict(conflict =>
      conflict.column('id').doUpdateSet(e => ({ pings: e('health.pings', '+', 1) })),
    ),
)

const sweepEnrollments = statement<{ now: number }>()((db, is) =>
  db
    .deleteFrom('enrollments')
    .where('id', 'in', q =>
      q.selectFrom('enrollments').select('id').where('expires_at', '<', is.now).limit(sweepLimit),
    ),
)

const sweepChallenges = statement<{ now: number }>()((db, is) =>
  db
    .deleteFrom('challenges')
    .where('id', 'in', q =>
      q.selectFrom('challenges').select('id').where('expires_at', '<', is.now).limit(sweepLimit),
    ),
)

const sweepReplayKeys = statement<{ now: number }>()((db, is) =>
  db
    .deleteFrom('replay_keys')
    .where('key', 'in', q =>
      q.selectFrom('replay_keys').select('key').where('expires_at', '<', is.now).limit(sweepLimit),
    ),
)

const sweepRevokedTokens = statement<{ now: number }>()((db, is) =>
  db
    .deleteFrom('revoked_tokens')
    .where('jti', 'in', q =>
      q
        .selectFrom('revoked_tokens')
        .select('jti')
        .where('expires_at', '<', is.now)
        .limit(sweepLimit),
    ),
)

const sweepAttestations = statement<{ now: number }>()((db, is) =>
  db
    .deleteFrom('attestations')
    .where('id', 'in', q =>
      q.selectFrom('attestations').select('id').where('expires_at', '<', is.now).limit(sweepLimit),
    ),
)

/** Tokens go with their list, not one by one: a place is nobody else's while the list is served. */
const sweepTokens = statement<{ now: number }>()((db, is) =>
  db.deleteFrom('tokens').where(e =>
    e(
      e.refTuple('list', 'idx'),
      'in',
      e
        .selectFrom('tokens as old')
        .select(['old.list', 'old.idx'])
        .where('old.list', 'in', q =>
          q.selectFrom('status_lists').select('number').where('expires_at', '<', is.now),
        )
        .limit(sweepLimit)
        .$asTuple('list', 'idx'),
    ),
  ),
)

const sweepParents = statement<{ now: number }>()((db, is) =>
  db.deleteFrom('token_parents').where(e =>
    e(
      e.refTuple('parent', 'list', 'idx'),
      'in',
      e
        .selectFrom('token_parents as old')
        .select(['old.parent', 'old.list', 'old.idx'])
        .where('old.list', 'in', q =>
          q.selectFrom('status_lists').select('number').where('expires_at', '<', is.now),
        )
        .limit(sweepLimit)
        .$asTuple('parent', 'list', 'idx'),
    ),
  ),
)

/** A list goes last: by it alone the rows of its tokens are known to be past. */
const sweepStatusLists = statement<{ now: number }>()((db, is) =>
  db
    .deleteFrom('status_lists')
    .where('expires_at', '<', is.now)
    .where(e =>
      e.not(
        e.exists(
          e
            .selectFrom('tokens')
            .select('tokens.idx')
            .whereRef('tokens.list', '=', 'status_lists.number'),
        ),
      ),
    )
    .where(e =>
      e.not(
        e.exists(
          e
            .selectFrom('token_parents')
            .select('token_parents.idx')
            .whereRef('token_parents.list', '=', 'status_lists.number'),
        ),
      ),
    ),
)

/** How long what fell is told to whoever comes late; no token and no certificate below the authority lives so long. */
const toldForMs = 7 * 86_400_000

/** The newest one stays: the next gets the number after it. */
const sweepEvents = statement<{ before: number }>()((db, is) =>
  db.deleteFrom('revocation_events').where('sequence', 'in', q =>
    q
      .selectFrom('revocation_events')
      .select('sequence')
      .where('at', '<', is.before)
      .where('sequence', '<', p =>
        p.selectFrom('revocation_events').select(e => e.fn.max('sequence').as('newest')),
      )
      .limit(sweepLimit),
  ),
)

/** Acts that bar nothing: single tokens, and keys that were replaced. Marks with their numbers are of rows long over. */
const sweepActs = statement<{ before: number }>()((db, is) =>
  db.deleteFrom('revocations').where('id', 'in', q =>
    q
      .selectFrom('revocations')
      .select('id')
      .where('kind', 'in', ['token', 'key'])
      .where('at', '<', is.before)
      .where('id', '<', p => p.selectFrom('revocations').select(e => e.fn.max('id').as('newest')))
      .limit(sweepLimit),
  ),
)

/** How long operators see what became of requests; the log keeps it. */
const shownForMs = 86_400_000

const sweepGrantRequests = statement<{ before: number }>()((db, is) =>
  db
    .deleteFrom('grant_requests')
    .where('id', 'in', q =>
      q
        .selectFrom('grant_requests')
        .select('id')
        .where('expires_at', '<', is.before)
        .limit(sweepLimit),
    ),
)

/** Writes something for the sake of writing. */
export async function writeHealth(tx: Transaction): Promise<void> {
  await tx.run(ping, {})
}

/** Deletes a part of what is past its time; answers whether more may be left. */
export async function sweepSome(tx: Transaction, now: number): Promise<boolean> {
  const deleted = [
    await tx.run(sweepEnrollments, { now }),
    await tx.run(sweepChallenges, { now }),
    await tx.run(sweepReplayKeys, { now }),
    await tx.run(sweepRevokedTokens, { now }),
    await tx.run(sweepAttestations, { now }),
    await tx.run(sweepTokens, { now }),
    await tx.run(sweepParents, { now }),
    await tx.run(sweepEvents, { before: now - toldForMs }),
    await tx.run(sweepActs, { before: now - toldForMs }),
    await tx.run(sweepGrantRequests, { before: now - shownForMs }),
  ]
  await tx.run(sweepStatusLists, { now })
  return deleted.includes(sweepLimit)
}
