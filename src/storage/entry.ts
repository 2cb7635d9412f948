import { encodeAuditEntry } from '../core/log/audit-entry.ts'
import type { AuditEntry } from '../ports/records.ts'
import { StoreError } from '../ports/store-error.ts'

/**
 * The bytes of an entry, as text, made before anything is asked of the database.
 *
 * @throws {StoreError} `store-entry-refused`
 */
export function encodeEntry(entry: AuditEntry): string {
  try {
    return encodeAuditEntry(entry)
  } catch (cause) {
    throw new StoreError('store-entry-refused', { cause })
  }
}
