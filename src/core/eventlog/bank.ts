import { hashAlgorithms, type HashAlgorithm } from '../tpm/algorithm.ts'

/** One bank that a log's header names. */
export interface LogBank {
  /** TPM_ALG_ID. */
  readonly id: number
  /** Bytes of each digest. */
  readonly size: number
  /** Undefined for one that can be read past but not replayed. */
  readonly hash: HashAlgorithm | undefined
}

/** Digest sizes of algorithms that logs carry but that are not replayed: SM3-256, SHA3-256, -384, -512. */
const unreplayedSizes: ReadonlyMap<number, number> = new Map([
  [0x0012, 32],
  [0x0027, 32],
  [0x0028, 48],
  [0x0029, 64],
])

const largestDigest = 64

/** The bank of an algorithm and a size as the header declares them; undefined where they do not go together. */
export function logBank(id: number, size: number): LogBank | undefined {
  const hash = hashAlgorithms.find(candidate => candidate.id === id)
  const expected = hash?.size ?? unreplayedSizes.get(id)
  const isRight = expected === undefined ? size > 0 && size <= largestDigest : size === expected
  return isRight ? { id, size, hash } : undefined
}
