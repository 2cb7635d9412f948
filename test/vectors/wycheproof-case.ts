/** What every case of a suite has; octets are hexadecimal. */
export interface Case {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}

/** Hexadecimal as bytes. */
export function octets(hexadecimal: string): Buffer {
  return Buffer.from(hexadecimal, 'hex')
}
