import type { AgentRow, ChallengeRow, ClientKeyRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'
import { insertChallenge } from './challenges.ts'
import { isForeignKey, replaceKey } from './client-keys.ts'
import { isBarred } from './revocation-bars.ts'
import { isHsmKeyRetired } from './hsm-keys.ts'

const insert = statement<AgentRow>()((db, is) =>
  db.insertInto('agents').values({
    id: is.id,
    class_name: is.class_name,
    host_id: is.host_id,
    status: is.status,
    jkt: is.jkt,
    created_at: is.created_at,
    created_by: is.created_by,
    revoked_at: is.revoked_at,
    revocation_reason: is.revocation_reason,
  }),
)

const hostStatus = statement<{ id: string }>()((db, is) =>
  db.selectFrom('hosts').select('status').where('id', '=', is.id),
)

const find = statement<{ id: string }>()((db, is) =>
  db.selectFrom('agents').selectAll().where('id', '=', is.id),
)

const listAll = statement<object>()(db =>
  db.selectFrom('agents').selectAll().orderBy('created_at').orderBy('id'),
)

const bind = statement<{ id: string; jkt: string }>()((db, is) =>
  db.updateTable('agents').set({ status: 'active', jkt: is.jkt }).where('id', '=', is.id),
)

/** See `AgentStore.create`. */
export async function createAgent(
  tx: Transaction,
  agent: AgentRow,
  challenge: ChallengeRow,
  entry: string,
): Promise<'done' | 'host-revoked' | 'class-revoked'> {
  if (!(await isHostActive(tx, agent.host_id))) return tx.refuse('host-revoked')
  if (await isBarred(tx, 'class', agent.class_name)) return tx.refuse('class-revoked')
  await tx.run(insert, agent)
  await insertChallenge(tx, challenge)
  tx.append(entry)
  return 'done'
}

async function isHostActive(tx: Transaction, id: string): Promise<boolean> {
  return (await tx.first(hostStatus, { id }))?.status === 'active'
}

/** See `AgentStore.find`. */
export async function findAgent(tx: Transaction, id: string): Promise<AgentRow | undefined> {
  return await tx.first(find, { id })
}

/** See `AgentStore.list`; oldest first. */
export async function listAgents(tx: Transaction): Promise<AgentRow[]> {
  return await tx.all(listAll, {})
}

/** See `AgentStore.bindKey`. */
export async function bindAgentKey(
  tx: Transaction,
  id: string,
  key: ClientKeyRow,
  { at, hsmKey }: { readonly at: number; readonly hsmKey: string | null },
  entry: string,
): Promise<'done' | 'unknown' | 'revoked' | 'host-revoked' | 'key-in-use' | 'hsm-key-retired'> {
  const agent = await tx.first(find, { id })
  if (agent === undefined) return tx.refuse('unknown')
  if (!(await isHostActive(tx, agent.host_id))) return tx.refuse('host-revoked')
  if (agent.status === 'revoked') return tx.refuse('revoked')
  if (await isForeignKey(tx, key)) return tx.refuse('key-in-use')
  if (await isHsmKeyRetired(tx, hsmKey)) return tx.refuse('hsm-key-retired')
  await tx.run(bind, { id, jkt: key.jkt })
  await replaceKey(tx, key, agent.jkt, at)
  tx.append(entry)
  return 'done'
}
