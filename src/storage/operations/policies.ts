import type { PolicyActivationRow, PolicyRow } from '../schema.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const insert = statement<PolicyRow>()((db, is) =>
  db.insertInto('policies').values({
    version: is.version,
    id: is.id,
    document: is.document,
    created_at: is.created_at,
    created_by: is.created_by,
  }),
)

const newest = statement<object>()(db =>
  db.selectFrom('policies').select('version').orderBy('version', 'desc').limit(1),
)

const find = statement<{ version: number }>()((db, is) =>
  db.selectFrom('policies').selectAll().where('version', '=', is.version),
)

const listAll = statement<object>()(db => db.selectFrom('policies').selectAll().orderBy('version'))

const insertActivation = statement<PolicyActivationRow>()((db, is) =>
  db.insertInto('policy_activations').values({
    sequence: is.sequence,
    version: is.version,
    activated_at: is.activated_at,
    activated_by: is.activated_by,
    jws: is.jws,
  }),
)

const lastActivation = statement<object>()(db =>
  db.selectFrom('policy_activations').selectAll().orderBy('sequence', 'desc').limit(1),
)

const listAllActivations = statement<object>()(db =>
  db.selectFrom('policy_activations').selectAll().orderBy('sequence'),
)

/** See `PolicyStore.add`. */
export async function addPolicy(
  tx: Transaction,
  policy: PolicyRow,
  entry: string,
): Promise<'done' | 'conflict'> {
  const highest = (await tx.first(newest, {}))?.version ?? 0
  if (policy.version !== highest + 1) return tx.refuse('conflict')
  await tx.run(insert, policy)
  tx.append(entry)
  return 'done'
}

/** See `PolicyStore.find`. */
export async function findPolicy(tx: Transaction, version: number): Promise<PolicyRow | undefined> {
  return await tx.first(find, { version })
}

/** See `PolicyStore.list`; oldest first. */
export async function listPolicies(tx: Transaction): Promise<PolicyRow[]> {
  return await tx.all(listAll, {})
}

/** See `PolicyStore.findActive`: what was activated last. */
export async function findActivePolicy(
  tx: Transaction,
): Promise<{ policy: PolicyRow; activation: PolicyActivationRow } | undefined> {
  const activation = await tx.first(lastActivation, {})
  const policy = activation && (await tx.first(find, activation))
  return activation && policy && { policy, activation }
}

/** See `PolicyStore.activate`. */
export async function activatePolicy(
  tx: Transaction,
  activation: PolicyActivationRow,
  entry: string,
): Promise<'done' | 'unknown' | 'conflict'> {
  if ((await tx.first(find, activation)) === undefined) return tx.refuse('unknown')
  const highest = (await tx.first(lastActivation, {}))?.sequence ?? 0
  if (activation.sequence !== highest + 1) return tx.refuse('conflict')
  await tx.run(insertActivation, activation)
  tx.append(entry)
  return 'done'
}

/** See `PolicyStore.listActivations`; oldest first. */
export async function listPolicyActivations(tx: Transaction): Promise<PolicyActivationRow[]> {
  return await tx.all(listAllActivations, {})
}
