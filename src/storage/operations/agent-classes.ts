import type { AgentClassRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const insert = statement<AgentClassRow>()((db, is) =>
  db
    .insertInto('agent_classes')
    .values({
      name: is.name,
      audiences: is.audiences,
      scopes: is.scopes,
      hosts: is.hosts,
      token_lifetime_seconds: is.token_lifetime_seconds,
      authorization_details: is.authorization_details,
      client_ids: is.client_ids,
      created_at: is.created_at,
      created_by: is.created_by,
      owner: is.owner,
      environment: is.environment,
      sensitivity: is.sensitivity,
    })
    .onConflict(conflict => conflict.column('name').doNothing()),
)

const find = statement<{ name: string }>()((db, is) =>
  db.selectFrom('agent_classes').selectAll().where('name', '=', is.name),
)

const listAll = statement<object>()(db =>
  db.selectFrom('agent_classes').selectAll().orderBy('created_at').orderBy('name'),
)

/** See `AgentClassStore.create`. */
export async function createAgentClass(
  tx: Transaction,
  agentClass: AgentClassRow,
  entry: string,
): Promise<'done' | 'exists'> {
  if ((await tx.run(insert, agentClass)) === 0) return tx.refuse('exists')
  tx.append(entry)
  return 'done'
}

/** See `AgentClassStore.find`. */
export async function findAgentClass(
  tx: Transaction,
  name: string,
): Promise<AgentClassRow | undefined> {
  return await tx.first(find, { name })
}

/** See `AgentClassStore.list`; oldest first. */
export async function listAgentClasses(tx: Transaction): Promise<AgentClassRow[]> {
  return await tx.all(listAll, {})
}
