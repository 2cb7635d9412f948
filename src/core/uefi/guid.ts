import type { LittleEndianReader } from './little-endian-reader.ts'

/** Reads an EFI_GUID as text, lower case (UEFI 2.10 Appendix A). Throws FormatError `structure-short`. */
export function readGuid(reader: LittleEndianReader): string {
  const words = [hex(reader.u32(), 8), hex(reader.u16(), 4), hex(reader.u16(), 4)]
  const rest = Buffer.from(reader.bytes(8)).toString('hex')
  return `${words.join('-')}-${rest.slice(0, 4)}-${rest.slice(4)}`
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

/** Owners of variables that Secure Boot is decided by. */
export const variableVendor = {
  /** EFI_GLOBAL_VARIABLE (UEFI 2.10 §3.3). */
  global: '8be4df61-93ca-11d2-aa0d-00e098032b8c',
  /** EFI_IMAGE_SECURITY_DATABASE_GUID (UEFI 2.10 §32.6.1). */
  imageSecurity: 'd719b2cb-3d3a-4596-a3bc-dad00e67656f',
  /** SHIM_LOCK_GUID of shim. */
  shimLock: '605dab50-e046-4300-abb6-3dd810dd8b23',
} as const
