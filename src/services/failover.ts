import type { AuthorityRecord } from '../ports/authority.ts'
import { auditEntry } from './audit-entry.ts'
import { hasEnded } from './authority-record.ts'
import { activateAuthority } from './authority-rotation.ts'
import { ServiceError } from './error.ts'
import type { Service } from './service.ts'
import { signerOf } from './signer-watch.ts'

const intervalMs = 1_000

/** What looks after the signer of the authority that issues. */
export interface Failover {
  stop(): void
}

/**
 * Activates a standby once the signer of the authority that issues has been down for so long. The same act as an
 * operator's, never forced: where a host does not keep the bundle with the standby, that is on record, and the operator's
 * to decide. Of several processes that look, one counts.
 *
 * @param afterSeconds how long a signer may be down
 * @param report told of what goes wrong otherwise
 */
export function startFailover(
  service: Service,
  afterSeconds: number,
  report: (cause: unknown) => void,
): Failover {
  const watch = new FailoverWatch(service, afterSeconds * 1000)
  let isLooking = false
  const look = async (): Promise<void> => {
    if (isLooking) return
    isLooking = true
    try {
      await watch.look()
    } catch (cause) {
      report(cause)
    } finally {
      isLooking = false
    }
  }
  const timer = setInterval(() => void look(), intervalMs).unref()
  return { stop: () => clearInterval(timer) }
}

/** One look after the other; remembers what it has said already. */
export class FailoverWatch {
  readonly #service: Service
  readonly #afterMs: number
  /** The authority whose standby was refused, so that it is on record once. */
  #refusedFor: string | undefined

  constructor(service: Service, afterMs: number) {
    this.#service = service
    this.#afterMs = afterMs
  }

  /** Gives the authority that was activated, if any. Throws StoreError and what `activateAuthority` throws. */
  async look(): Promise<AuthorityRecord | undefined> {
    const { records } = this.#service.authorities
    const active = records.find(({ state }) => state === 'active')
    const failed = active && signerOf(this.#service, active)?.state()
    if (active === undefined || failed === undefined || failed.isUp) {
      this.#refusedFor = undefined
      return undefined
    }
    if (this.#service.clock.now() - failed.since < this.#afterMs) return undefined
    const standby = records.find(record => isStandby(this.#service, record))
    return standby && (await this.#activate(active, standby, failed.reason ?? 'down'))
  }

  async #activate(
    active: AuthorityRecord,
    standby: AuthorityRecord,
    cause: string,
  ): Promise<AuthorityRecord | undefined> {
    const reason = `the signer of ${active.id.slice(0, 16)} is down: ${cause}`
    try {
      const request = { isForced: false, reason }
      return (await activateAuthority(this.#service, 'service', standby.id, request)).authority
    } catch (error) {
      // Somebody else was first, which is what was wanted.
      if (error instanceof ServiceError && error.code === 'authority-conflict') return undefined
      if (!(error instanceof ServiceError) || error.code !== 'bundle-not-adopted') throw error
      await this.#recordRefusal(active, standby, error)
      return undefined
    }
  }

  async #recordRefusal(
    active: AuthorityRecord,
    standby: AuthorityRecord,
    { found }: ServiceError,
  ): Promise<void> {
    if (this.#refusedFor === active.id) return
    const { store } = this.#service
    const detail = { from: active.id, ...(found === undefined ? {} : { found }) }
    await store.audit.append(
      auditEntry(this.#service, 'authority.takeover-refused', 'service', standby.id, detail),
    )
    this.#refusedFor = active.id
  }
}

/** Prepared and in its time, with a key in hardware that signs. */
function isStandby(service: Service, record: AuthorityRecord): boolean {
  const { state, keyDestroyedAt } = record
  if (state !== 'prepared' || keyDestroyedAt !== null) return false
  if (hasEnded(record, service.clock.now())) return false
  return signerOf(service, record)?.state().isUp === true
}
