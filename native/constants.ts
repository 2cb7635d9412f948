/** Hierarchies by their permanent handles: TPM 2.0 Part 2 r01.59 §7.4 TPM_RH. */
export const Hierarchy = {
  owner: 0x40000001,
  null: 0x40000007,
  lockout: 0x4000000a,
  endorsement: 0x4000000b,
  platform: 0x4000000c,
} as const

/** Hash algorithms: TPM 2.0 Part 2 r01.59 §6.3 TPM_ALG_ID. */
export const HashAlgorithm = {
  sha1: 0x0004,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
} as const

/** What GetCapability can be asked for: TPM 2.0 Part 2 r01.59 §6.12 TPM_CAP. */
export const Capability = {
  algorithms: 0,
  handles: 1,
  commands: 2,
  pcrs: 5,
  tpmProperties: 6,
  eccCurves: 8,
} as const

/** Where each kind of handle begins: TPM 2.0 Part 2 r01.59 §7.5 TPM_HC. */
export const HandleRange = {
  nvIndex: 0x01000000,
  loadedSession: 0x02000000,
  savedSession: 0x03000000,
  transient: 0x80000000,
  persistent: 0x81000000,
} as const

/** Some fixed and variable properties: TPM 2.0 Part 2 r01.59 §6.13 TPM_PT. */
export const Property = {
  manufacturer: 0x105,
  firmwareVersion1: 0x10b,
  firmwareVersion2: 0x10c,
  transientMin: 0x10e,
  nvBufferMax: 0x12c,
  permanent: 0x200,
  loadedSessions: 0x203,
  transientAvailable: 0x207,
} as const
