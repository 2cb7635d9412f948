import { hash } from 'node:crypto'
import { ImaError } from '../../src/core/ima/error.ts'
import { parseImaList, type ImaList } from '../../src/core/ima/list.ts'
import { runAtOnce } from '../../src/core/slices.ts'
import { findPrefix } from '../../src/core/ima/prefix.ts'
import { hashAlgorithm, TPM_ALG } from '../../src/core/tpm/algorithm.ts'
import type { CheckVector, Finding, ManifestEntry } from './vector.ts'

/**
 * A list is read to its end and replayed. Some of these were cut off in their last entry: that is refused by default,
 * and read only where an incomplete end may be left out. The kernel's own template digests, which the verifier does not
 * rely on, are the independent witness: the PCR that they give is taken as quoted.
 */
export const check: CheckVector = (entry, bytes) => {
  if (entry.verdict === 'suite') return []
  const strict = read(bytes, 'refuse')
  const list = read(bytes, 'leave')
  if (typeof list === 'string')
    return [{ name: entry.file, expected: entry.verdict, found: 'malformed', detail: list }]
  return [
    { name: entry.file, expected: entry.verdict, found: 'accept' },
    ...incompleteEnd(entry, list, strict),
    ...replay(entry, list),
    ...violations(entry, bytes, list),
  ]
}

function read(bytes: Uint8Array, incompleteTail: 'refuse' | 'leave'): ImaList | string {
  try {
    return parseImaList(bytes, { incompleteTail })
  } catch (error) {
    if (!(error instanceof ImaError)) throw error
    return error.code
  }
}

function incompleteEnd(
  { file }: ManifestEntry,
  list: ImaList,
  strict: ImaList | string,
): Finding[] {
  if (list.tailBytes === 0) return []
  const isRefused = strict === 'ima-truncated'
  const name = `${file} with its ${list.tailBytes} bytes of an incomplete end`
  return [{ name, expected: 'malformed', found: isRefused ? 'malformed' : 'accept' }]
}

function replay({ file }: ManifestEntry, list: ImaList): Finding[] {
  return [...list.pcrs].map(pcr => {
    const query = {
      bank: hashAlgorithm(TPM_ALG.SHA1),
      templateHash: 'bank' as const,
      primary: pcr,
      start: new Map([[pcr, [new Uint8Array(20)]]]),
      target: new Map([[pcr, witnessed(list, pcr)]]),
      through: undefined,
    }
    const prefix = runAtOnce(findPrefix(list, query))
    const isWhole = typeof prefix === 'object' && prefix.count === list.count
    const name = `${file} PCR ${pcr} as its template digests give it`
    return { name, expected: 'accept', found: isWhole ? 'accept' : 'refuse' }
  })
}

/** What the digests in the list make of a PCR. */
function witnessed(list: ImaList, pcr: number): Uint8Array {
  const cursor = list.cursor()
  let value: Uint8Array = new Uint8Array(20)
  for (let start = 0; cursor.next(); start = cursor.offset) {
    const digest = list.bytes.subarray(start + 4, start + 24)
    const extended = cursor.isViolation ? new Uint8Array(20).fill(0xff) : digest
    if (cursor.pcr === pcr) value = hash('sha1', Buffer.concat([value, extended]), 'buffer')
  }
  return value
}

/** A list that is said to hold a violation holds one, be it in an entry that was cut off. */
function violations({ file, why }: ManifestEntry, bytes: Uint8Array, list: ImaList): Finding[] {
  if (!/\bviolation\b/.test(why)) return []
  const cut = bytes.subarray(list.byteLength + 4, list.byteLength + 24)
  const isCut = cut.length === 20 && cut.every(byte => byte === 0)
  const isThere = isCut || [...list.entries()].some(({ isViolation }) => isViolation)
  const name = `${file} has a violation`
  return [{ name, expected: 'accept', found: isThere ? 'accept' : 'refuse' }]
}
