import { hash } from 'node:crypto'
import type { HashAlgorithm } from '../tpm/algorithm.ts'
import { laterWords } from './later-words.ts'
import { extendPcr } from './replay.ts'
import type { UserspaceEvent } from './userspace-log.ts'

/** Deviations of real firmware that a policy can allow by name. */
export type EventLogQuirk = 'exit-boot-services-missing'

/**
 * What leads from the log to a quoted value: the log alone, fixed words or logged events of the running system after
 * it, the verified list of IMA after that, an allowed quirk, or nothing that is known.
 */
export type ExplainedBy =
  | { readonly by: 'log' }
  | { readonly by: 'words'; readonly words: readonly string[] }
  | { readonly by: 'userspace-log'; readonly events: number }
  | { readonly by: 'quirk'; readonly quirk: EventLogQuirk }
  | { readonly by: 'ima' }
  | { readonly by: 'unexplained' }

/** The way to the value of one PCR in one bank. */
export type PcrExplanation = ExplainedBy & {
  readonly bank: HashAlgorithm['name']
  readonly pcr: number
}

/** What firmware measures when boot services end, which some logs lack (verification L9). */
const exitBootServices = [
  'Exit Boot Services Invocation',
  'Exit Boot Services Returned with Success',
]

/** A value that a PCR may have reached, and how. */
export interface ReachableValue {
  readonly value: Uint8Array
  readonly how: ExplainedBy
}

/** The values that a PCR can have after the firmware's log, likeliest first; the log's own value is the first. */
export function* reachableValues(
  bank: HashAlgorithm['name'],
  pcr: number,
  replayed: Uint8Array,
  userspace: readonly UserspaceEvent[],
): Generator<ReachableValue> {
  yield { value: replayed, how: { by: 'log' } }
  const later = extendByUserspace(bank, pcr, replayed, userspace)
  if (later !== undefined) yield later
  for (const words of laterWords(pcr))
    yield { value: extendByWords(bank, replayed, words), how: { by: 'words', words } }
}

function extendByUserspace(
  bank: HashAlgorithm['name'],
  pcr: number,
  replayed: Uint8Array,
  userspace: readonly UserspaceEvent[],
): ReachableValue | undefined {
  const events = userspace.filter(event => event.pcr === pcr)
  let value = replayed
  for (const { digests } of events) {
    const digest = digests.get(bank)
    if (digest === undefined) return undefined
    value = extendPcr(bank, value, digest)
  }
  return events.length === 0
    ? undefined
    : { value, how: { by: 'userspace-log', events: events.length } }
}

function extendByWords(
  bank: HashAlgorithm['name'],
  replayed: Uint8Array,
  words: readonly string[],
): Uint8Array {
  return words.reduce(
    (value, word) => extendPcr(bank, value, hash(bank, Buffer.from(word), 'buffer')),
    replayed,
  )
}

/** What PCR 5 holds if the firmware measured the end of boot services without logging it. */
export function valueAfterUnloggedExit(
  bank: HashAlgorithm['name'],
  replayed: Uint8Array,
): Uint8Array {
  return extendByWords(bank, replayed, exitBootServices)
}
