import { createHash } from 'node:crypto'
import { serialNumber } from '../core/issuance/assembly.ts'
import { SignerError } from '../ports/signer-error.ts'
import { auditEntry } from './audit-entry.ts'
import type { Service } from './service.ts'
import { signerOf } from './signer-watch.ts'

/** A certificate for a key of the service's own, before it is signed. */
export interface OwnIntent {
  /** Name of its profile. */
  readonly profile: string
  /** As `AuthorityRecord.id`. */
  readonly authority: string
  /** The random octets of its serial number. */
  readonly serial: Uint8Array
  /** DER SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
}

/**
 * Records that an authority is about to sign for the service itself: for its TLS key, or a responder. Such keys end with
 * the process, and no record of theirs is kept but this one. A signer that is down is not asked, and nothing is recorded:
 * who keeps such a certificate fresh comes again every few seconds.
 *
 * @throws SignerError `signer-down`; StoreError: then nothing is signed
 */
export async function recordOwnIntent(service: Service, intent: OwnIntent): Promise<void> {
  const { profile, authority, serial, spki } = intent
  const record = service.authorities.records.find(({ id }) => id === authority)
  const state = record && signerOf(service, record)?.state()
  if (state?.isUp === false)
    throw new SignerError('signer-down', state.reason === undefined ? {} : { found: state.reason })
  const detail = {
    profile,
    authority,
    serial: Buffer.from(serialNumber(serial)).toString('hex'),
    spki: createHash('sha256').update(spki).digest('hex'),
  }
  const { issuer } = service.settings
  await service.store.audit.append(
    auditEntry(service, 'certificate.intended', 'service', issuer, detail),
  )
}
