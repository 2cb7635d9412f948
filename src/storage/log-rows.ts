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

/** One row: what the log last committed to. */
export interface LogStateRow {
  id: number
  size: number
  checkpoint: string
}
