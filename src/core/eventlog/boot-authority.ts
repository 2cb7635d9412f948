import { hash } from 'node:crypto'
import { variableVendor } from '../uefi/guid.ts'
import type { SignatureEntry, SignatureKind } from '../uefi/signature-list.ts'
import type { UefiVariable } from '../uefi/variable.ts'
import { provenanceOf, type Provenance } from './fact.ts'
import type { ProvenEvent } from './proven-event.ts'

/** What an image was verified by. */
export interface BootAuthority extends Provenance {
  /** `db` of the firmware, or a list that shim keeps. */
  readonly database: string
  readonly kind: SignatureKind
  /** Hex: SHA-256 of a certificate, a hash as it stands in the list. */
  readonly sha256: string
  /** Whether it was used before the firmware handed over, for a driver. */
  readonly isBeforeSeparator: boolean
}

interface MeasuredAuthority {
  readonly variable: UefiVariable
  readonly event: ProvenEvent
  readonly isBeforeSeparator: boolean
}

/**
 * What an EV_EFI_VARIABLE_AUTHORITY event shows. One that is said to be from `db` must be an entry of it, with or
 * without its owner: the type of the entry is told by the list alone. Undefined for one that is not.
 *
 * @see TCG PC Client Platform Firmware Profile r1.05 §10.4.1; UEFI 2.10 §32.4.1; verification L13
 */
export function authorityOf(
  { variable, event, isBeforeSeparator }: MeasuredAuthority,
  db: readonly SignatureEntry[],
): BootAuthority | undefined {
  const origin = { ...provenanceOf(event), isBeforeSeparator }
  if (variable.vendor === variableVendor.imageSecurity && variable.name === 'db') {
    const entry = db.find(candidate => isEntry(candidate, variable.data))
    if (entry === undefined) return undefined
    return { ...origin, database: 'db', kind: entry.kind, sha256: identityOf(entry) }
  }
  if (variable.vendor !== variableVendor.shimLock) return undefined
  // shim measures the certificate itself; of its own lists nothing else is known here.
  const kind = isCertificate(variable.data) ? 'x509' : 'other'
  return {
    ...origin,
    database: `shim ${variable.name}`,
    kind,
    sha256: hash('sha256', variable.data),
  }
}

function isEntry({ bytes, data }: SignatureEntry, measured: Uint8Array): boolean {
  return Buffer.compare(bytes, measured) === 0 || Buffer.compare(data, measured) === 0
}

function identityOf({ kind, data }: SignatureEntry): string {
  return kind === 'sha256' ? Buffer.from(data).toString('hex') : hash('sha256', data)
}

/** A DER SEQUENCE with a length of two bytes, as certificates begin. */
function isCertificate(data: Uint8Array): boolean {
  return data[0] === 0x30 && data[1] === 0x82
}
