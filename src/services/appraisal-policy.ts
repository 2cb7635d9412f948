import type { AppraisalPolicy } from '../core/verifier/appraisal.ts'
import { createHash } from 'node:crypto'
import type { Service } from './service.ts'

/** The PCRs that each quote must cover. */
export function quotedPcrs(service: Pick<Service, 'settings'>): {
  readonly sha256: readonly number[]
} {
  return { sha256: service.settings.attestation.pcrs }
}

/** The Appraisal Policy that the configuration states; its id is the digest of what it says. */
export function appraisalPolicy(service: Pick<Service, 'settings'>): AppraisalPolicy {
  const { assurance, pcrs, referenceValues, validitySeconds } = service.settings.attestation
  const rules = {
    assurance,
    pcrs: { sha256: pcrs },
    referenceValues: { sha256: referenceValues },
    validitySeconds,
  }
  const id = createHash('sha256').update(JSON.stringify(rules)).digest('hex')
  return { id: `sha256:${id}`, ...rules }
}
