import type { RevocationEvent } from '../../ports/revocation.ts'

/** What `recordEvents` wrote. */
export function parseRevocationEvent(text: string): RevocationEvent {
  return JSON.parse(text) as RevocationEvent
}
