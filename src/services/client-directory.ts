import type { ClientRecord } from '../ports/records.ts'
import type { ClientStore } from '../ports/client-store.ts'

const keepMs = 2_000
const capacity = 20_000

/**
 * Who a key speaks for, remembered for two seconds. It saves the hot path a read; it decides nothing: every use
 * ends in `ClientStore.act`, which looks at the stored status inside its own transaction.
 */
export class ClientDirectory {
  readonly #store: ClientStore
  readonly #kept = new Map<string, { readonly client: ClientRecord; readonly until: number }>()

  constructor(store: ClientStore) {
    this.#store = store
  }

  /** @param now Unix milliseconds */
  async find(jkt: string, now: number): Promise<ClientRecord | undefined> {
    const kept = this.#kept.get(jkt)
    if (kept !== undefined && kept.until > now) return kept.client
    const client = await this.#store.findByKey(jkt)
    this.#kept.delete(jkt)
    if (client !== undefined) this.#keep(jkt, client, now)
    return client
  }

  #keep(jkt: string, client: ClientRecord, now: number): void {
    this.#kept.set(jkt, { client, until: now + keepMs })
    if (this.#kept.size <= capacity) return
    const [oldest] = this.#kept.keys()
    if (oldest !== undefined) this.#kept.delete(oldest)
  }
}
