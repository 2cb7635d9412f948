import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

/** What decides whether a client may act now. */
export interface Standing {
  readonly subjectId: string
  readonly isActive: boolean
  /** Unix milliseconds; null for operators, who attest nothing. */
  readonly attestedUntil: number | null
  /** Whether the host was seen in another boot than the one that it attested. */
  readonly isRestarted: boolean
}

const ofOperator = statement<{ jkt: string }>()((db, is) =>
  db
    .selectFrom('client_keys as key')
    .innerJoin('operators as operator', 'operator.id', 'key.subject_id')
    .select(['key.subject_id', 'operator.status'])
    .where('key.jkt', '=', is.jkt)
    .where('key.kind', '=', 'operator')
    .where('key.retired', '=', 0),
)

const ofHost = statement<{ jkt: string }>()((db, is) =>
  db
    .selectFrom('client_keys as key')
    .innerJoin('hosts as host', 'host.id', 'key.subject_id')
    .select([
      'key.subject_id',
      'host.status',
      'host.attestation_expires_at',
      'host.restart_seen_at',
    ])
    .where('key.jkt', '=', is.jkt)
    .where('key.kind', '=', 'host')
    .where('key.retired', '=', 0),
)

const ofAgent = statement<{ jkt: string }>()((db, is) =>
  db
    .selectFrom('client_keys as key')
    .innerJoin('agents as agent', 'agent.id', 'key.subject_id')
    .innerJoin('hosts as host', 'host.id', 'agent.host_id')
    .select([
      'key.subject_id',
      'agent.status',
      'host.status as host_status',
      'host.attestation_expires_at',
      'host.restart_seen_at',
    ])
    .where('key.jkt', '=', is.jkt)
    .where('key.kind', '=', 'agent')
    .where('key.retired', '=', 0),
)

/** The standing of whom a key speaks for as a client of that kind; undefined when it speaks for no such client. */
export async function findStanding(
  tx: Transaction,
  kind: string,
  jkt: string,
): Promise<Standing | undefined> {
  switch (kind) {
    case 'operator':
      return standingOfOperator(await tx.first(ofOperator, { jkt }))
    case 'host':
      return standingOfHost(await tx.first(ofHost, { jkt }))
    case 'agent':
      return standingOfAgent(await tx.first(ofAgent, { jkt }))
    default:
      return undefined
  }
}

interface Found {
  readonly subject_id: string
  readonly status: string
}

interface Attested extends Found {
  readonly attestation_expires_at: number
  readonly restart_seen_at: number | null
}

function standingOfOperator(row: Found | undefined): Standing | undefined {
  if (row === undefined) return undefined
  return {
    subjectId: row.subject_id,
    isActive: row.status === 'active',
    attestedUntil: null,
    isRestarted: false,
  }
}

function standingOfHost(row: Attested | undefined): Standing | undefined {
  if (row === undefined) return undefined
  return {
    subjectId: row.subject_id,
    isActive: row.status === 'active',
    attestedUntil: row.attestation_expires_at,
    isRestarted: row.restart_seen_at !== null,
  }
}

function standingOfAgent(
  row: (Attested & { readonly host_status: string }) | undefined,
): Standing | undefined {
  if (row === undefined) return undefined
  return {
    subjectId: row.subject_id,
    isActive: row.status === 'active' && row.host_status === 'active',
    attestedUntil: row.attestation_expires_at,
    isRestarted: row.restart_seen_at !== null,
  }
}
