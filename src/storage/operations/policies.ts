import type { PolicyActivationRow, PolicyRow } from '../policy-rows.ts'
import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

/** Which policies: those that appraise Evidence, or those that authorize. Each kind counts its own versions. */
export type PolicyKind = 'appraisal' | 'authorization'

const tables = {
  appraisal: { policies: 'policies', activations: 'policy_activations' },
  authorization: { policies: 'authorization_policies', activations: 'authorization_activations' },
} as const

/** The statements of a kind: its tables have the same columns as the other's. */
function statementsOf(kind: PolicyKind) {
  const policies = tables[kind].policies as 'policies'
  const activations = tables[kind].activations as 'policy_activations'
  return {
    insert: statement<PolicyRow>()((db, is) =>
      db.insertInto(policies).values({
        version: is.version,
        id: is.id,
        document: is.document,
        created_at: is.created_at,
        created_by: is.created_by,
      }),
    ),
    newest: statement<object>()(db =>
      db.selectFrom(policies).select('version').orderBy('version', 'desc').limit(1),
    ),
    find: statement<{ version: number }>()((db, is) =>
      db.selectFrom(policies).selectAll().where('version', '=', is.version),
    ),
    listAll: statement<object>()(db => db.selectFrom(policies).selectAll().orderBy('version')),
    insertActivation: statement<PolicyActivationRow>()((db, is) =>
      db.insertInto(activations).values({
        sequence: is.sequence,
        version: is.version,
        activated_at: is.activated_at,
        activated_by: is.activated_by,
        jws: is.jws,
      }),
    ),
    lastActivation: statement<object>()(db =>
      db.selectFrom(activations).selectAll().orderBy('sequence', 'desc').limit(1),
    ),
    listAllActivations: statement<object>()(db =>
      db.selectFrom(activations).selectAll().orderBy('sequence'),
    ),
  }
}

const statements = {
  appraisal: statementsOf('appraisal'),
  authorization: statementsOf('authorization'),
}

/** See `PolicyStore.add`. */
export async function addPolicy(
  tx: Transaction,
  kind: PolicyKind,
  policy: PolicyRow,
  entry: string,
): Promise<'done' | 'conflict'> {
  const { newest, insert } = statements[kind]
  const highest = (await tx.first(newest, {}))?.version ?? 0
  if (policy.version !== highest + 1) return tx.refuse('conflict')
  await tx.run(insert, policy)
  tx.append(entry)
  return 'done'
}

/** See `PolicyStore.find`. */
export async function findPolicy(
  tx: Transaction,
  kind: PolicyKind,
  version: number,
): Promise<PolicyRow | undefined> {
  return await tx.first(statements[kind].find, { version })
}

/** See `PolicyStore.list`; oldest first. */
export async function listPolicies(tx: Transaction, kind: PolicyKind): Promise<PolicyRow[]> {
  return await tx.all(statements[kind].listAll, {})
}

/** See `PolicyStore.findActive`: what was activated last. */
export async function findActivePolicy(
  tx: Transaction,
  kind: PolicyKind,
): Promise<{ policy: PolicyRow; activation: PolicyActivationRow } | undefined> {
  const activation = await tx.first(statements[kind].lastActivation, {})
  const policy = activation && (await tx.first(statements[kind].find, activation))
  return activation && policy && { policy, activation }
}

/** See `PolicyStore.activate`. */
export async function activatePolicy(
  tx: Transaction,
  kind: PolicyKind,
  activation: PolicyActivationRow,
  entry: string,
): Promise<'done' | 'unknown' | 'conflict'> {
  const { find, lastActivation, insertActivation } = statements[kind]
  if ((await tx.first(find, activation)) === undefined) return tx.refuse('unknown')
  const highest = (await tx.first(lastActivation, {}))?.sequence ?? 0
  if (activation.sequence !== highest + 1) return tx.refuse('conflict')
  await tx.run(insertActivation, activation)
  tx.append(entry)
  return 'done'
}

/** See `PolicyStore.listActivations`; oldest first. */
export async function listPolicyActivations(
  tx: Transaction,
  kind: PolicyKind,
): Promise<PolicyActivationRow[]> {
  return await tx.all(statements[kind].listAllActivations, {})
}
