import { refreshCertificateLists } from './certificate-lists.ts'
import { keepDoing, type Keeper } from './keeper.ts'
import type { Service } from './service.ts'

/** How soon a revocation is on its list, beside the time that the signer takes. */
const intervalMs = 2_000

/**
 * Looks every two seconds which revocation lists do not tell all that was revoked or end soon, and which responders
 * need a certificate. Several processes on one store may do so: a list is never replaced by an older one.
 *
 * @param report told of what goes wrong, once for each kind until it goes right again
 */
export function startStatusKeeper(service: Service, report: (causes: string) => void): Keeper {
  const jobs = [
    async () => await service.ocsp.refresh(service),
    async () => await refreshCertificateLists(service),
  ]
  return keepDoing(jobs, intervalMs, report)
}
