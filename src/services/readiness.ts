import type { Service } from './service.ts'

const keepMs = 1_000

const asked = new WeakMap<object, { readonly at: number; readonly answer: Promise<void> }>()

/**
 * Resolves when the store could make a write durable within the last second. Anybody may ask, so that however many
 * do, the store is asked once a second.
 *
 * @throws StoreError what the store answered
 */
export async function requireReady(service: Pick<Service, 'store' | 'clock'>): Promise<void> {
  const now = service.clock.now()
  const last = asked.get(service.store)
  if (last !== undefined && Math.abs(now - last.at) < keepMs) return await last.answer
  const answer = service.store.ping()
  asked.set(service.store, { at: now, answer })
  await answer
}
