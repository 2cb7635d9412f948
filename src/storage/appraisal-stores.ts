import type { AttestationStore, EndorsementStore, PolicyStore } from '../ports/store.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import type { PolicyKind } from './operations/policies.ts'
import { parseAttestation, parseAttestationSummary } from './records/attestation.ts'
import { encodeEndorsement, parseEndorsement } from './records/endorsement.ts'
import {
  encodeActivation,
  encodePolicy,
  parseActivation,
  parsePolicyRow,
} from './records/policy.ts'

/** The `AttestationStore` of any database. */
export function createAttestationStore(db: Executor): AttestationStore {
  return {
    find: async id => {
      const row = await db.execute('findAttestation', id)
      return row && parseAttestation(row)
    },
    list: async (hostId, limit) =>
      (await db.execute('listAttestations', hostId, limit)).map(parseAttestationSummary),
  }
}

/** The `PolicyStore` of any database, for one kind of policies. */
export function createPolicyStore(db: Executor, kind: PolicyKind): PolicyStore {
  return {
    add: async (policy, entry) =>
      await db.execute('addPolicy', kind, encodePolicy(policy), encodeEntry(entry)),
    find: async version => {
      const row = await db.execute('findPolicy', kind, version)
      return row && parsePolicyRow(row)
    },
    list: async () => (await db.execute('listPolicies', kind)).map(parsePolicyRow),
    findActive: async () => {
      const rows = await db.execute('findActivePolicy', kind)
      if (rows === undefined) return undefined
      return { policy: parsePolicyRow(rows.policy), activation: parseActivation(rows.activation) }
    },
    activate: async (activation, entry) =>
      await db.execute('activatePolicy', kind, encodeActivation(activation), encodeEntry(entry)),
    listActivations: async () =>
      (await db.execute('listPolicyActivations', kind)).map(parseActivation),
  }
}

/** The `EndorsementStore` of any database. */
export function createEndorsementStore(db: Executor): EndorsementStore {
  return {
    find: async id => {
      const row = await db.execute('findEndorsement', id)
      return row && parseEndorsement(row)
    },
    list: async () => (await db.execute('listEndorsements')).map(parseEndorsement),
    enqueue: async (endorsement, limit, entry) => {
      const row = encodeEndorsement(endorsement)
      return await db.execute('enqueueEndorsement', row, limit, encodeEntry(entry))
    },
    decide: async (id, { status, at, by }, entry) =>
      await db.execute('decideEndorsement', id, status, at, by, encodeEntry(entry)),
  }
}
