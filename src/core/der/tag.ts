/** Identifier octets that structures here are made of (X.690 §8.1.2; X.680 §8.6). */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  universalString: 0x1c,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const

/** The identifier octet of a primitive `[n]`. */
export function contextTag(n: number): number {
  return 0x80 | n
}

/** The identifier octet of a constructed `[n]`. */
export function constructedContextTag(n: number): number {
  return 0xa0 | n
}
