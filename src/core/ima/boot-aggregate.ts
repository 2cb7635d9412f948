import { createHash } from 'node:crypto'
import type { QuotedBank } from '../eventlog/quote.ts'
import type { ImaEntry } from './entry.ts'

/** Names of the entry that ties a list to the boot before it. No file has such a name: paths begin with a slash. */
const names: readonly string[] = ['boot_aggregate', 'boot_aggregate_late']

const encoded = names.map(name => Buffer.from(name))

/** Whether the name of an entry is that of an aggregate of the boot. */
export function isBootAggregateName(name: Uint8Array): boolean {
  return encoded.some(bytes => bytes.length === name.length && bytes.equals(name))
}

/**
 * Whether an aggregate is that of the quoted PCRs: over PCRs 0 to 7 for SHA-1, 0 to 9 for any other hash, in the bank
 * of that hash. Undefined where the quote does not have all of these.
 *
 * @see Linux ima_calc_boot_aggregate_tfm; verification I5
 */
export function matchesBoot(entry: ImaEntry, quoted: readonly QuotedBank[]): boolean | undefined {
  const { hash, value, type } = entry.digest
  const bank = quoted.find(({ bank: name }) => name === hash.name)
  if (type !== 'ima') return false
  if (value.every(byte => byte === 0)) return false
  if (bank === undefined) return undefined
  const sum = createHash(bank.bank)
  for (let pcr = 0; pcr <= (hash.name === 'sha1' ? 7 : 9); pcr += 1) {
    const quotedValue = bank.values.get(pcr)
    if (quotedValue === undefined) return undefined
    sum.update(quotedValue)
  }
  return Buffer.compare(sum.digest(), value) === 0
}
