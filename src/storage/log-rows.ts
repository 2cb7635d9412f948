/** One entry of the audit log. */
export interface LogEntryRow {
  /** Leaf index. */
  position: number
  entry: Uint8Array
}

/** Full tiles only: partial ones follow from what lies below them. */
export interface LogTileRow {
  level: number
  tile_index: number
  /** 256 hashes. */
  hashes: Uint8Array
  /** Their Merkle root: one hash of the tile above. */
  root: Uint8Array
}

/** One row: what the log holds, and what it last committed to. */
export interface LogStateRow {
  id: number
  size: number
  /** Newest signed checkpoint; empty before the first signature of a key that signs behind the transactions. */
  checkpoint: string
  /** Of all entries; null in a database from before there was such a key. */
  root: Uint8Array | null
  /** Entries under the checkpoint; null where they are all. */
  signed_size: number | null
}
