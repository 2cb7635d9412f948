import type { RevocationAct, RevocationStore, RevocationTarget } from '../ports/revocation.ts'
import type { Executor } from './executor.ts'
import type { ActRow } from './operations/revocation-acts.ts'
import { encodeKeptAttestation } from './records/attestation.ts'
import { parseRevocationEvent } from './records/revocation-event.ts'

/** The `RevocationStore` of any database. */
export function createRevocationStore(db: Executor): RevocationStore {
  return {
    revoke: async (act, { type, time, actor, subject, detail }, evidence) => {
      const kept =
        evidence === undefined
          ? null
          : { ...encodeKeptAttestation(evidence), stateVersion: evidence.stateVersion }
      const entry = { type, time, actor, subject, detail }
      return await db.execute('revoke', encodeAct(act), kept, entry)
    },
    preview: async act => await db.execute('previewRevocation', encodeAct(act)),
    readEvents: async (after, limit) => {
      const { oldest, newest, events } = await db.execute('readRevocationEvents', after, limit)
      return {
        oldest,
        newest,
        events: events.map(({ sequence, event }) => ({
          sequence,
          event: parseRevocationEvent(event),
        })),
      }
    },
  }
}

function encodeAct({ target, at, reasonCode, reason, author }: RevocationAct): ActRow {
  const common = { kind: target.kind, at, reason_code: reasonCode, reason, author, ...nothing }
  return { ...common, ...encodeTarget(target) }
}

const nothing = { vendor: null, lowest: null, highest: null }

function encodeTarget(target: RevocationTarget): Partial<ActRow> & Pick<ActRow, 'target'> {
  switch (target.kind) {
    case 'class':
      return { target: target.name }
    case 'anchor':
      return { target: target.fingerprint }
    case 'certificate':
      return { target: target.serial }
    case 'firmware': {
      const { vendor, lowest, highest } = target
      return { target: `${vendor} ${lowest}-${highest}`, vendor, lowest, highest }
    }
    default:
      return { target: target.id }
  }
}
