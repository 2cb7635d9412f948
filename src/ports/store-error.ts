import { CodedError, type ErrorFacts, type ErrorRow } from '../core/coded-error.ts'

/** Stable codes of everything that a store can answer besides its words. */
export type StoreErrorCode =
  | 'store-unavailable'
  | 'store-overloaded'
  | 'store-conflict'
  | 'store-invalid-record'
  | 'store-entry-refused'
  | 'store-unreachable'
  | 'store-in-use'
  | 'store-not-a-database'
  | 'store-foreign-database'
  | 'store-damaged'
  | 'store-schema-newer'
  | 'store-log-key-mismatch'
  | 'store-log-damaged'
  | 'store-log-unsigned'

const rows: Record<StoreErrorCode, ErrorRow> = {
  'store-unavailable': {
    summary: 'The store cannot make anything durable now.',
    hint: 'Nothing was changed; check disk space and the service log, then try again.',
  },
  'store-overloaded': {
    summary: 'More work waits for the store than it can do soon.',
    hint: 'Nothing was changed; try again in a moment.',
  },
  'store-conflict': {
    summary: 'The record collides with one that exists, or points to one that does not.',
    hint: 'Nothing was changed; read the present state and try again with a fresh identifier.',
  },
  'store-invalid-record': {
    summary: 'The record holds a value that its table does not admit.',
    hint: 'Nothing was changed; this is a bug of the caller.',
  },
  'store-entry-refused': {
    summary: 'The audit entry cannot be written, so neither can the act it describes.',
    hint: 'Nothing was changed; shorten the entry or replace what JSON cannot carry.',
  },
  'store-unreachable': {
    summary: 'The database file cannot be created or opened.',
    hint: 'Check that its folder exists and that this user may write there.',
  },
  'store-in-use': {
    summary: 'Another process has the database open.',
    hint: 'Stop the other service, or give this one a database of its own.',
  },
  'store-not-a-database': {
    summary: 'The file is not a SQLite database.',
    hint: 'Check the path; restore the file from a backup if it is the right one.',
  },
  'store-damaged': {
    summary: 'The database file is damaged.',
    hint: 'Keep the file as evidence and restore a backup; auditors can show what the log had.',
  },
  'store-foreign-database': {
    summary: 'The database belongs to another program.',
    hint: 'Give the path of an Assay database or of a file that does not exist yet.',
  },
  'store-schema-newer': {
    summary: 'The database was written by a newer version of Assay.',
    hint: 'Run that version or a newer one; a database never goes back.',
  },
  'store-log-key-mismatch': {
    summary: 'The audit log was signed by another key or under another name.',
    hint: 'Start with the log key and origin that this database was made with.',
    source: 'C2SP tlog-checkpoint v1.0.0 §Signatures',
  },
  'store-log-unsigned': {
    summary: 'The audit log has no signed checkpoint yet.',
    hint: 'What it holds is durable; the checkpoint follows as soon as the key of the log signs.',
    source: 'C2SP tlog-checkpoint v1.0.0 §Signatures',
  },
  'store-log-damaged': {
    summary: 'The audit log in the database does not have the root that its checkpoint signs.',
    hint: 'Keep the file as evidence and restore a backup; the log must not be continued.',
    source: 'RFC 6962 §2.1',
  },
}

/** A refusal of the store. Whatever the code, nothing of the call was made durable. */
export class StoreError extends CodedError<StoreErrorCode> {
  constructor(code: StoreErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
