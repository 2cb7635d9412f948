import type { AnchorStore, EnrollmentStore, HostStore, OperatorStore } from '../ports/store.ts'
import type { AnchorRecord } from '../ports/records.ts'
import { encodeEntry } from './entry.ts'
import type { Executor } from './executor.ts'
import { encodeAnchor, parseAnchor } from './records/anchor.ts'
import { encodeKeptAttestation } from './records/attestation.ts'
import { encodeClientKey } from './records/client-key.ts'
import { encodeEnrollment, parseEnrollment } from './records/enrollment.ts'
import { encodeHost, parseHost } from './records/host.ts'
import { encodeOperator, parseOperator } from './records/operator.ts'

/** The `AnchorStore` of any database. */
export function createAnchorStore(db: Executor): AnchorStore {
  let active: { version: number; anchors: readonly AnchorRecord[] } = { version: -1, anchors: [] }
  return {
    add: async (anchor, entry) =>
      await db.execute('addAnchor', encodeAnchor(anchor), encodeEntry(entry)),
    propose: async (anchors, entry) =>
      await db.execute('proposeAnchors', encodeEntry(entry), ...anchors.map(encodeAnchor)),
    approve: async (fingerprints, { at, by }, ...entries) =>
      await db.execute('approveAnchors', { at, by }, entries.map(encodeEntry), ...fingerprints),
    retire: async (fingerprint, { at, by, reason }, entry) =>
      await db.execute('retireAnchor', fingerprint, { at, by, reason }, encodeEntry(entry)),
    list: async () => (await db.execute('listAnchors')).map(parseAnchor),
    listActive: async () => {
      const { version, anchors } = await db.execute('listActiveAnchors', active.version)
      if (anchors !== null) active = { version, anchors: anchors.map(parseAnchor) }
      return active.anchors
    },
  }
}

/** The `OperatorStore` of any database. */
export function createOperatorStore(db: Executor): OperatorStore {
  return {
    add: async (operator, key, entry) => {
      const row = encodeClientKey(key, 'operator', operator.id)
      return await db.execute('addOperator', encodeOperator(operator), row, encodeEntry(entry))
    },
    list: async () => (await db.execute('listOperators')).map(parseOperator),
  }
}

/** The `EnrollmentStore` of any database. */
export function createEnrollmentStore(db: Executor): EnrollmentStore {
  return {
    create: async (enrollment, entry) =>
      await db.execute('createEnrollment', encodeEnrollment(enrollment), encodeEntry(entry)),
    isOpen: async (id, now) => await db.execute('isEnrollmentOpen', id, now),
    take: async (id, now) => {
      const taken = await db.execute('takeEnrollment', id, now)
      return typeof taken === 'string' ? taken : parseEnrollment(taken)
    },
    refuse: async (id, entry, kept) => {
      const row = kept === undefined ? null : encodeKeptAttestation(kept)
      return await db.execute('refuseEnrollment', id, row, encodeEntry(entry))
    },
  }
}

/** The `HostStore` of any database. */
export function createHostStore(db: Executor): HostStore {
  return {
    find: async id => {
      const row = await db.execute('findHost', id)
      return row && parseHost(row)
    },
    findByEndorsement: async endorsementId => {
      const row = await db.execute('findHostByEndorsement', endorsementId)
      return row && parseHost(row)
    },
    findByName: async name => {
      const row = await db.execute('findHostByName', name)
      return row && parseHost(row)
    },
    list: async () => (await db.execute('listHosts')).map(parseHost),
    admit: async (host, key, kept, entry, anchors = [], hsmKey = null) => {
      const row = encodeHost(host)
      const keyRow = encodeClientKey(key, 'host', host.id)
      const keptRow = encodeKeptAttestation(kept)
      return await db.execute(
        'admitHost',
        row,
        keyRow,
        keptRow,
        { anchors, hsmKey },
        encodeEntry(entry),
      )
    },
    markRestarted: async (id, stateVersion, entry) =>
      await db.execute('markHostRestarted', id, stateVersion, entry.time, encodeEntry(entry)),
  }
}
