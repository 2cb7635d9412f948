import { statement } from '../statement.ts'
import type { Transaction } from '../transaction.ts'

const findBar = statement<{ kind: string; target: string }>()((db, is) =>
  db
    .selectFrom('revocations')
    .select('id')
    .where('kind', '=', is.kind)
    .where('target', '=', is.target),
)

const findFirmwareBar = statement<{ vendor: string; version: string }>()((db, is) =>
  db
    .selectFrom('revocations')
    .select('target')
    .where('vendor', '=', is.vendor)
    .where('lowest', '<=', is.version)
    .where('highest', '>=', is.version)
    .limit(1),
)

/** Whether an act of revocation keeps this very target out for good. */
export async function isBarred(tx: Transaction, kind: string, target: string): Promise<boolean> {
  return (await tx.first(findBar, { kind, target })) !== undefined
}

/** The firmware range that a version of a vendor lies in, if one was revoked. */
export async function findBarredFirmware(
  tx: Transaction,
  vendor: string | null,
  version: string | null,
): Promise<string | undefined> {
  if (vendor === null || version === null) return undefined
  return (await tx.first(findFirmwareBar, { vendor, version }))?.target
}
