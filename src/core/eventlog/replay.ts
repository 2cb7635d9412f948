import { hash } from 'node:crypto'
import { type HashAlgorithm } from '../tpm/algorithm.ts'
import type { EventLog } from './event-log.ts'
import { EVENT_TYPE } from './event-type.ts'
import type { EventRecord } from './record.ts'
import { isTrustPoint } from './trust-point.ts'

export const pcrCount = 24

/** What a log makes of the PCRs of one bank. */
export interface ReplayedBank {
  readonly hash: HashAlgorithm
  /** Values by PCR number, 24 of them; undefined where an event had no digest for this bank. */
  readonly values: readonly (Uint8Array | undefined)[]
}

/** The PCRs of all banks that can be replayed, as the log alone gives them. */
export interface ReplayedPcrs {
  readonly banks: ReadonlyMap<HashAlgorithm['name'], ReplayedBank>
  /** PCRs that at least one event extended, ascending. */
  readonly extended: readonly number[]
}

/** PCR := H(PCR ‖ digest) (TPM 2.0 Part 1 r01.59 §17.2). */
export function extendPcr(
  name: HashAlgorithm['name'],
  pcr: Uint8Array,
  digest: Uint8Array,
): Uint8Array {
  return hash(name, Buffer.concat([pcr, digest]), 'buffer')
}

/**
 * What a PCR holds before anything is extended: zeros, ones where only a dynamic launch resets it, and in PCR 0 the
 * locality of the start.
 *
 * @see TCG PC Client Platform TPM Profile v1.05 §4.6.2; verification L5, L6
 */
export function initialPcr(size: number, pcr: number, startupLocality: number): Uint8Array {
  const value = Buffer.alloc(size, pcr >= 17 && pcr <= 22 ? 0xff : 0)
  if (pcr === 0) value[size - 1] = startupLocality
  return value
}

/** Whether an event was extended into its PCR, rather than only logged. */
export function isExtended(event: EventRecord): boolean {
  return event.type !== EVENT_TYPE.NO_ACTION && !isTrustPoint(event)
}

/** Replays a log in every bank with a known hash. Registers of a CCEL stand by their numbers. */
export function replayEventLog(log: EventLog): ReplayedPcrs {
  const banks = log.banks.flatMap(bank =>
    bank.hash === undefined ? [] : [new Bank(bank.hash, log)],
  )
  const extended = new Set<number>()
  for (const event of log.events()) {
    if (!isExtended(event)) continue
    extended.add(event.pcr)
    for (const bank of banks) bank.extend(event)
  }
  return {
    banks: new Map(
      banks.map(({ hash: algorithm, values }) => [algorithm.name, { hash: algorithm, values }]),
    ),
    extended: [...extended].toSorted((left, right) => left - right),
  }
}

class Bank {
  readonly hash: HashAlgorithm
  readonly values: (Uint8Array | undefined)[]

  constructor(algorithm: HashAlgorithm, log: EventLog) {
    const locality = log.format === 'ccel' ? 0 : log.startup.locality
    this.hash = algorithm
    this.values = Array.from({ length: pcrCount }, (_, pcr) =>
      log.format === 'ccel'
        ? Buffer.alloc(algorithm.size)
        : initialPcr(algorithm.size, pcr, locality),
    )
  }

  extend({ pcr, digests }: EventRecord): void {
    const before = this.values[pcr]
    const digest = digests.get(this.hash.id)
    // Once an event without a digest was seen, nothing can be said of this PCR in this bank any more.
    this.values[pcr] =
      before === undefined || digest === undefined
        ? undefined
        : extendPcr(this.hash.name, before, digest)
  }
}
