import { CodedError, type ErrorFacts, type ErrorRow } from '../coded-error.ts'

const tiles = 'C2SP tlog-tiles v0.1.0'
const note = 'C2SP signed-note v1.0.0'
const checkpoint = 'C2SP tlog-checkpoint v1.0.0'

const tampered = 'Keep a copy of what was served: it is evidence that the log was altered.'
const askOperator = 'Ask whoever runs the log for the right file, or fetch it again.'

/** Stable codes of everything that the log's formats and proofs refuse. */
export type LogErrorCode =
  | 'note-malformed'
  | 'note-key-malformed'
  | 'note-unsigned'
  | 'note-signature'
  | 'checkpoint-malformed'
  | 'checkpoint-origin'
  | 'checkpoint-signature'
  | 'checkpoint-rollback'
  | 'checkpoint-inconsistent'
  | 'root-mismatch'
  | 'tile-path-malformed'
  | 'tile-missing'
  | 'tile-mismatch'
  | 'bundle-missing'
  | 'bundle-malformed'
  | 'bundle-mismatch'
  | 'inclusion-proof-invalid'
  | 'consistency-proof-invalid'
  | 'entry-too-large'
  | 'entry-malformed'
  | 'entry-unencodable'

const rows: Record<LogErrorCode, ErrorRow> = {
  'note-malformed': {
    summary: 'The text is not a signed note.',
    hint: 'Fetch the note again and check that nothing re-encoded it on the way.',
    source: `${note} §Format`,
  },
  'note-key-malformed': {
    summary: 'The key is not a verifier key of a signed note.',
    hint: 'Copy the whole line `name+hash+key`, and nothing else.',
    source: `${note} §Verifier keys`,
  },
  'note-unsigned': {
    summary: 'The note carries no signature of the expected key.',
    hint: 'Check that the verifier key belongs to this log.',
    source: `${note} §Signatures`,
  },
  'note-signature': {
    summary: 'The signature of the expected key does not fit the note.',
    hint: tampered,
    source: `${note} §Signatures`,
  },
  'checkpoint-malformed': {
    summary: 'The signed note is not a checkpoint.',
    hint: 'Check that the address is that of a log checkpoint.',
    source: `${checkpoint} §Note text`,
  },
  'checkpoint-origin': {
    summary: 'The checkpoint belongs to another log.',
    hint: 'Check the address of the log and the name in its verifier key.',
    source: `${checkpoint} §Note text`,
  },
  'checkpoint-signature': {
    summary: 'The checkpoint is not signed by the key of the log.',
    hint: tampered,
    source: `${checkpoint} §Signatures`,
  },
  'checkpoint-rollback': {
    summary: 'The log is shorter than it was when it was last checked.',
    hint: tampered,
    source: `${checkpoint} §Signatures`,
  },
  'checkpoint-inconsistent': {
    summary: 'The log rewrote entries that it had already committed to.',
    hint: tampered,
    source: `${checkpoint} §Signatures`,
  },
  'root-mismatch': {
    summary: 'The tree at its right edge does not have the root that the checkpoint signs.',
    hint: tampered,
    source: 'RFC 6962 §2.1',
  },
  'tile-path-malformed': {
    summary: 'The path does not name a tile or an entry bundle.',
    hint: 'Use tile/<level>/<index>[.p/<width>] or tile/entries/<index>[.p/<width>].',
    source: `${tiles} §Merkle Tree`,
  },
  'tile-missing': {
    summary: 'The log does not serve a tile that its checkpoint needs.',
    hint: askOperator,
    source: `${tiles} §Partial Tiles`,
  },
  'tile-mismatch': {
    summary: 'A tile does not hash to what the checkpoint commits to.',
    hint: tampered,
    source: `${tiles} §Merkle Tree`,
  },
  'bundle-missing': {
    summary: 'The log does not serve an entry bundle that its checkpoint needs.',
    hint: askOperator,
    source: `${tiles} §Log entries`,
  },
  'bundle-malformed': {
    summary: 'The bytes are not an entry bundle of that width.',
    hint: askOperator,
    source: `${tiles} §Log entries`,
  },
  'bundle-mismatch': {
    summary: 'An entry does not hash to what the checkpoint commits to.',
    hint: tampered,
    source: `${tiles} §Log entries`,
  },
  'inclusion-proof-invalid': {
    summary: 'The proof does not show that the entry is in the tree.',
    hint: 'Ask for the proof again, for exactly this tree size.',
    source: 'RFC 6962 §2.1.1',
  },
  'consistency-proof-invalid': {
    summary: 'The proof does not show that the newer tree extends the older one.',
    hint: 'Ask for the proof again, for exactly these tree sizes.',
    source: 'RFC 6962 §2.1.2',
  },
  'entry-too-large': {
    summary: 'The audit entry is larger than a log entry may be.',
    hint: 'Put a digest of the large member into the entry and the member elsewhere.',
    source: `${tiles} §Log entries`,
  },
  'entry-malformed': {
    summary: 'The bytes are not an audit entry in canonical form.',
    hint: 'Check that the bundle comes from an Assay log of this version.',
    source: 'RFC 8785 §3.2',
  },
  'entry-unencodable': {
    summary: 'The audit entry holds a value that canonical JSON cannot carry.',
    hint: 'Use strings, safe integers, booleans, null, arrays and plain objects only.',
    source: 'RFC 8785 §3.2.2',
  },
}

/** A refusal of the transparency log: malformed bytes, a proof that fails, a log that was altered. */
export class LogError extends CodedError<LogErrorCode> {
  constructor(code: LogErrorCode, facts?: ErrorFacts) {
    super(code, rows[code], facts)
  }
}
