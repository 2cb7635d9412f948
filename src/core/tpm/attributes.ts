/** Bits of TPMA_OBJECT (TPM 2.0 Part 2 r01.59 §8.3.2). The one table; nothing else writes these numbers. */
export const TPMA_OBJECT = {
  fixedTPM: 0x0000_0002,
  stClear: 0x0000_0004,
  fixedParent: 0x0000_0010,
  sensitiveDataOrigin: 0x0000_0020,
  userWithAuth: 0x0000_0040,
  adminWithPolicy: 0x0000_0080,
  noDA: 0x0000_0400,
  encryptedDuplication: 0x0000_0800,
  restricted: 0x0001_0000,
  decrypt: 0x0002_0000,
  sign: 0x0004_0000,
  x509sign: 0x0008_0000,
} as const

export type ObjectAttribute = keyof typeof TPMA_OBJECT

const known = Object.values(TPMA_OBJECT).reduce((all, bit) => all | bit, 0)

/** The reserved bits that are set; 0 where all is well (bits 0, 3, 8, 9, 12 to 15, 20 to 31). */
export function reservedAttributes(attributes: number): number {
  return (attributes & ~known) >>> 0
}

/** The names of the attributes that are set, for people. */
export function attributeNames(attributes: number): string {
  const names = Object.entries(TPMA_OBJECT).filter(([, bit]) => (attributes & bit) !== 0)
  return names.map(([name]) => name).join(' ') || 'none'
}

/** Which attributes a key must have and which it must not; the others are left to whoever creates it. */
export interface AttributeRule {
  readonly required: readonly ObjectAttribute[]
  readonly forbidden: readonly ObjectAttribute[]
}

/**
 * Which rule a set of attributes breaks, in words; undefined when every required bit is set, every forbidden bit
 * clear and no reserved bit used.
 */
export function brokenAttributeRule(attributes: number, rule: AttributeRule): string | undefined {
  const reserved = reservedAttributes(attributes)
  if (reserved !== 0) return `reserved bits 0x${reserved.toString(16)} clear`
  const missing = rule.required.find(name => (attributes & TPMA_OBJECT[name]) === 0)
  if (missing !== undefined) return `${missing} set`
  const extra = rule.forbidden.find(name => (attributes & TPMA_OBJECT[name]) !== 0)
  return extra === undefined ? undefined : `${extra} clear`
}
