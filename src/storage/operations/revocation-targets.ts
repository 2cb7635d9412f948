import { sql } from 'kysely'
import type { RevocationRow } from '../schema.ts'
import { fallenCertificate, fallenSubject } from './fallen.ts'
import { statement, type Statement } from '../statement.ts'

/** How the first rows of an act are found and marked; everything below follows from the marks. */
export interface TargetRow {
  /** Rows that must be there; absent where what is not known yet can be barred. */
  readonly find?: Statement<RevocationRow, unknown>
  readonly mark: Statement<RevocationRow, unknown>
  /** Whether the act itself, once recorded, keeps others out: a second one is told so by the record. */
  readonly isBar: boolean
}

const markHost = statement<RevocationRow>()((db, is) =>
  db
    .updateTable('hosts')
    .set(fallenSubject(is))
    .where('id', '=', is.target)
    .where('status', '=', 'active'),
)

const markEndorsement = statement<RevocationRow>()((db, is) =>
  db
    .updateTable('hosts')
    .set(fallenSubject(is))
    .where('endorsement_id', '=', is.target)
    .where('status', '=', 'active'),
)

const markAnchor = statement<RevocationRow>()((db, is) =>
  db
    .updateTable('hosts')
    .set(fallenSubject(is))
    .where('id', 'in', q =>
      q.selectFrom('host_anchors').select('host_id').where('fingerprint', '=', is.target),
    )
    .where('status', '=', 'active'),
)

const markFirmware = statement<RevocationRow>()((db, is) =>
  db
    .updateTable('hosts')
    .set(fallenSubject(is))
    .where('firmware_vendor', '=', is.vendor)
    .where('firmware_version', '>=', is.lowest)
    .where('firmware_version', '<=', is.highest)
    .where('status', '=', 'active'),
)

const markAgent = statement<RevocationRow>()((db, is) =>
  db
    .updateTable('agents')
    .set(fallenSubject(is))
    .where('id', '=', is.target)
    .where('status', '!=', 'revoked'),
)

const markClass = statement<RevocationRow>()((db, is) =>
  db
    .updateTable('agents')
    .set(fallenSubject(is))
    .where('class_name', '=', is.target)
    .where('status', '!=', 'revoked'),
)

const markOperator = statement<RevocationRow>()((db, is) =>
  db
    .updateTable('operators')
    .set({ status: 'revoked', revocation: is.id })
    .where('id', '=', is.target)
    .where('status', '=', 'active'),
)

const markCertificate = statement<RevocationRow>()((db, is) =>
  db
    .updateTable('certificates')
    .set(fallenCertificate(is))
    .where('serial', '=', is.target)
    .where('status', '!=', 'revoked'),
)

const one = sql<number>`1`.as('one')

const findHost = statement<RevocationRow>()((db, is) =>
  db.selectFrom('hosts').select(one).where('id', '=', is.target),
)
const findAgent = statement<RevocationRow>()((db, is) =>
  db.selectFrom('agents').select(one).where('id', '=', is.target),
)
const findClass = statement<RevocationRow>()((db, is) =>
  db.selectFrom('agent_classes').select(one).where('name', '=', is.target),
)
const findOperator = statement<RevocationRow>()((db, is) =>
  db.selectFrom('operators').select(one).where('id', '=', is.target),
)
const findCertificate = statement<RevocationRow>()((db, is) =>
  db.selectFrom('certificates').select(one).where('serial', '=', is.target),
)
/** Every kind of target. */
export const targetRows: Readonly<Record<string, TargetRow>> = {
  host: { find: findHost, mark: markHost, isBar: false },
  agent: { find: findAgent, mark: markAgent, isBar: false },
  class: { find: findClass, mark: markClass, isBar: true },
  endorsement: { mark: markEndorsement, isBar: true },
  anchor: { mark: markAnchor, isBar: true },
  firmware: { mark: markFirmware, isBar: true },
  operator: { find: findOperator, mark: markOperator, isBar: false },
  certificate: { find: findCertificate, mark: markCertificate, isBar: false },
}
