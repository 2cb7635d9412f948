import { hash } from 'node:crypto'
import { isEqual } from '../bytes/equal.ts'
import type { HashAlgorithm } from '../tpm/algorithm.ts'
import { unlessMalformed } from '../uefi/unless-malformed.ts'
import { parseUefiVariable } from '../uefi/variable.ts'
import { EVENT_TYPE } from './event-type.ts'
import { boundText } from './measured-text.ts'
import type { EventRecord } from './record.ts'
import { isExtended } from './replay.ts'
import type { VerifiedEventLog } from './verify.ts'

/**
 * How much of an event its digest shows: `data` all of its data, `variable` the content of a variable but not its
 * name, `text` a text without the label before it, `digest` nothing beyond itself, so that its data is a hint.
 */
export type Binding = 'data' | 'variable' | 'text' | 'digest'

/** An event whose digest a quote has shown, with what of its data that digest covers. Its type stays a claim. */
export interface ProvenEvent {
  readonly index: number
  readonly pcr: number
  /** A claim: a log can call an event what it likes. */
  readonly type: number
  readonly digest: Uint8Array
  readonly data: Uint8Array
  readonly binding: Binding
  /** The text that was measured, where the digest shows one. */
  readonly text?: string
}

/** The events of all PCRs that the quote has shown, in the order of the log. Order across PCRs is not shown by it. */
export function* provenEvents(verified: VerifiedEventLog): Generator<ProvenEvent> {
  const { bank } = verified
  const proven = new Set(
    Array.from({ length: 24 }, (_, pcr) => pcr).filter(pcr => verified.isProven(pcr)),
  )
  for (const event of verified.log.events()) {
    const digest = event.digests.get(bank.id)
    if (digest === undefined || !proven.has(event.pcr) || !isExtended(event)) continue
    const { index, pcr, type, data } = event
    yield { index, pcr, type, digest, data, ...bind(bank.name, event, digest) }
  }
}

function bind(
  name: HashAlgorithm['name'],
  event: EventRecord,
  digest: Uint8Array,
): { binding: Binding; text?: string } {
  let covered: Uint8Array | undefined
  const isDigestOf = (bytes: Uint8Array): boolean => {
    if (!hash(name, bytes, 'buffer').equals(digest)) return false
    covered = bytes
    return true
  }
  const text = event.type === EVENT_TYPE.IPL ? boundText(event.data, isDigestOf) : undefined
  const shown = text === undefined ? {} : { text }
  // Of bytes that the digest is known to cover no second hash is needed.
  const isOfData = covered === undefined ? isDigestOf(event.data) : isEqual(covered, event.data)
  if (isOfData) return { binding: 'data', ...shown }
  const content =
    event.type === EVENT_TYPE.EFI_VARIABLE_BOOT
      ? unlessMalformed(() => parseUefiVariable(event.data).data)
      : undefined
  if (content !== undefined && isDigestOf(content)) return { binding: 'variable' }
  return text === undefined ? { binding: 'digest' } : { binding: 'text', text }
}
