import { hash } from 'node:crypto'
import { TPM_ALG } from '../tpm/algorithm.ts'
import { EventLogError } from './error.ts'
import { EVENT_TYPE } from './event-type.ts'
import type { EventRecord } from './record.ts'

/** What Windows writes as the PCR of its record of quotes, which belongs to none. */
const noPcr = 0xffff_ffff

/**
 * Whether an event is the record that Windows adds when a boot ends, with quotes by its own keys inside. It is never
 * extended, and what it says is untrusted until those quotes are verified.
 *
 * @see verification L4
 */
export function isTrustPoint(event: EventRecord): boolean {
  return event.pcr === noPcr && event.type === EVENT_TYPE.NO_ACTION
}

/**
 * Its one digest that is not zero is the SHA-256 of its data.
 *
 * @throws EventLogError `eventlog-trust-point`
 */
export function requireTrustPoint({ digests, data, index }: EventRecord): void {
  const marked = [...digests].filter(([, digest]) => digest.some(byte => byte !== 0))
  const [only] = marked
  const expected = hash('sha256', data, 'buffer')
  const isRight = only?.[0] === TPM_ALG.SHA256 && Buffer.compare(only[1], expected) === 0
  if (marked.length !== 1 || !isRight)
    throw new EventLogError('eventlog-trust-point', { found: `event ${index}` })
}
