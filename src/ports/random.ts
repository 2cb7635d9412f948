/** Cryptographically strong randomness, as an argument. */
export interface Random {
  /** `length` bytes that nobody can predict. */
  bytes(length: number): Uint8Array
}
