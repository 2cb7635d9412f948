import { refreshCertificateLists } from './certificate-lists.ts'
import type { Service } from './service.ts'

/** How soon a revocation is on its list, beside the time that the signer takes. */
const intervalMs = 2_000

/** What keeps revocation lists and responders up to date while the service runs. */
export interface StatusKeeper {
  stop(): Promise<void>
}

/**
 * Looks every two seconds which revocation lists do not tell all that was revoked or end soon, and which responders
 * need a certificate. Several processes on one store may do so: a list is never replaced by an older one.
 *
 * @param report told of what goes wrong, once for each kind until it goes right again
 */
export function startStatusKeeper(
  service: Service,
  report: (causes: string) => void,
): StatusKeeper {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  const failing = [false, false]
  const refresh = async (): Promise<void> => {
    const outcomes = await Promise.allSettled([
      service.ocsp.refresh(service),
      refreshCertificateLists(service),
    ])
    for (const [job, outcome] of outcomes.entries()) {
      const hasFailed = outcome.status === 'rejected'
      if (hasFailed && failing[job] !== true && !isStopped) report(describeCauses(outcome.reason))
      failing[job] = hasFailed
    }
  }
  const next = async (): Promise<void> => {
    await refresh()
    if (isStopped) return
    timer = setTimeout(() => {
      running = next()
    }, intervalMs).unref()
  }
  let running = next()
  return {
    stop: async () => {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}

function describeCauses(cause: unknown): string {
  return cause instanceof AggregateError ? cause.errors.map(String).join('; ') : String(cause)
}
