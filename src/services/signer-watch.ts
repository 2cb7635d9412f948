import { X509Certificate } from 'node:crypto'
import type { AuthorityRecord } from '../ports/authority.ts'
import type { SignerRole, WatchedSigner } from '../ports/signer.ts'
import { auditEntry } from './audit-entry.ts'
import type { Service } from './service.ts'

/** What `/readyz` says of the keys in hardware. */
export interface SignerReport {
  /** `hsm_down` while one that is needed now does not sign; what needs no signature goes on. */
  readonly status: 'ready' | 'hsm_down'
  readonly signers: Readonly<Record<string, 'up' | 'hsm_down'>>
}

/** Without these something is refused or delayed now; the others tell what was, or stand by. */
const needed: readonly SignerRole[] = ['issuing', 'token', 'log']

/** The state of every signer that can go down, by its role; of several in one role the worst. */
export function reportSigners(service: Pick<Service, 'signers'>): SignerReport {
  const states = service.signers.map(signer => [signer.role, signer.state().isUp] as const)
  const down = new Set(states.flatMap(([role, isUp]) => (isUp ? [] : [role])))
  return {
    status: needed.some(role => down.has(role)) ? 'hsm_down' : 'ready',
    signers: Object.fromEntries(
      states
        .map(([role]) => [role, down.has(role) ? 'hsm_down' : 'up'] as const)
        .toSorted(([left], [right]) => left.localeCompare(right)),
    ),
  }
}

/** One line in the audit log for one change of a signer. Throws StoreError. */
export async function recordSignerChange(
  service: Pick<Service, 'store' | 'clock'>,
  signer: WatchedSigner,
): Promise<void> {
  const { isUp, reason } = signer.state()
  const type = isUp ? 'signer.up' : 'signer.down'
  const detail = reason === undefined ? {} : { reason }
  await service.store.audit.append(
    auditEntry(service, type, 'service', `signer/${signer.role}`, detail),
  )
}

/** The signer of an authority whose key is in hardware; undefined for any other, and before it was used. */
export function signerOf(
  { signers }: Pick<Service, 'signers'>,
  authority: AuthorityRecord,
): WatchedSigner | undefined {
  return signers.find(({ publicKey }) => isKeyOf(authority, publicKey))
}

/**
 * What a key of an authority signs for at the moment.
 *
 * @param publicKey DER SubjectPublicKeyInfo
 */
export function roleOfKey(
  authorities: readonly AuthorityRecord[],
  publicKey: Uint8Array,
): SignerRole {
  const state = authorities.find(record => isKeyOf(record, publicKey))?.state
  if (state === 'active') return 'issuing'
  // Before the first record is written there is one authority, and it issues.
  if (state === undefined) return authorities.length === 0 ? 'issuing' : 'standby'
  return state === 'prepared' ? 'standby' : 'retired'
}

function isKeyOf({ chain: [issuing] }: AuthorityRecord, publicKey: Uint8Array): boolean {
  if (issuing === undefined) return false
  const own = new X509Certificate(issuing).publicKey.export({ format: 'der', type: 'spki' })
  return Buffer.compare(own, publicKey) === 0
}
