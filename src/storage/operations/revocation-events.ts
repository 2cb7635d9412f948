import type { RevocationEvent } from '../../ports/revocation.ts'
import type { RevocationEventRow, RevocationRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import type { Fallen } from './revocation-cascade.ts'

/** Identifiers in one event, and so in one entry of the log. */
const partSize = 500

const insert = statement<RevocationEventRow>()((db, is) =>
  db.insertInto('revocation_events').values({ sequence: is.sequence, at: is.at, event: is.event }),
)

const newest = statement<object>()(db =>
  db.selectFrom('revocation_events').select('sequence').orderBy('sequence', 'desc').limit(1),
)

const oldest = statement<object>()(db =>
  db.selectFrom('revocation_events').select('sequence').orderBy('sequence').limit(1),
)

const readAfter = statement<{ after: number; limit: number }>()((db, is) =>
  db
    .selectFrom('revocation_events')
    .select(['sequence', 'event'])
    .where('sequence', '>', is.after)
    .orderBy('sequence')
    .limit(is.limit),
)

/** Puts what an act took down where relying parties read it; one part at least. Answers the parts. */
export async function recordEvents(
  tx: Transaction,
  act: RevocationRow,
  fallen: Fallen,
): Promise<Fallen[]> {
  const parts = partsOf(fallen)
  let sequence = (await tx.first(newest, {}))?.sequence ?? 0
  for (const [index, part] of parts.entries()) {
    sequence += 1
    const event: RevocationEvent = {
      revocation: act.id,
      at: act.at,
      kind: act.kind,
      target: act.target,
      reasonCode: act.reason_code,
      isLast: index === parts.length - 1,
      ...part,
    }
    await tx.run(insert, { sequence, at: act.at, event: JSON.stringify(event) })
  }
  return parts
}

function partsOf(fallen: Fallen): Fallen[] {
  const parts = (['hosts', 'agents', 'certificates', 'tokens', 'operators'] as const).flatMap(
    name => chunksOf<unknown>(fallen[name]).map(chunk => ({ ...nothing, [name]: chunk })),
  )
  const total = Object.values(fallen).reduce((sum, list) => sum + list.length, 0)
  return total <= partSize ? [fallen] : parts
}

const nothing: Fallen = { hosts: [], agents: [], certificates: [], tokens: [], operators: [] }

function chunksOf<T>(list: readonly T[]): T[][] {
  const count = Math.ceil(list.length / partSize)
  return Array.from({ length: count }, (_, n) => list.slice(n * partSize, (n + 1) * partSize))
}

/** See `RevocationStore.readEvents`. */
export async function readRevocationEvents(
  tx: Transaction,
  after: number,
  limit: number,
): Promise<{
  oldest: number | null
  newest: number
  events: { sequence: number; event: string }[]
}> {
  return {
    oldest: (await tx.first(oldest, {}))?.sequence ?? null,
    newest: (await tx.first(newest, {}))?.sequence ?? 0,
    events: await tx.all(readAfter, { after, limit }),
  }
}
