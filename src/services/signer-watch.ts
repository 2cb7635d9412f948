import type { WatchedSigner } from '../ports/signer.ts'
import { auditEntry } from './audit-entry.ts'
import type { Service } from './service.ts'

/** What `/readyz` says of the keys in hardware. */
export interface SignerReport {
  /** `hsm_down` while any of them does not sign; what needs no signature goes on. */
  readonly status: 'ready' | 'hsm_down'
  readonly signers: Readonly<Record<string, 'up' | 'hsm_down'>>
}

/** The state of every signer that can go down, by its role. */
export function reportSigners(service: Pick<Service, 'signers'>): SignerReport {
  const states = service.signers.map(signer => [signer.role, signer.state().isUp] as const)
  return {
    status: states.every(([, isUp]) => isUp) ? 'ready' : 'hsm_down',
    signers: Object.fromEntries(states.map(([role, isUp]) => [role, isUp ? 'up' : 'hsm_down'])),
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
