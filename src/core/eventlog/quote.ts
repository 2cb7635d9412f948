import type { HashAlgorithm } from '../tpm/algorithm.ts'

/** Values of one bank as a TPM signed them, by PCR number. Only from a verified quote. */
export interface QuotedBank {
  readonly bank: HashAlgorithm['name']
  readonly values: ReadonlyMap<number, Uint8Array>
}
