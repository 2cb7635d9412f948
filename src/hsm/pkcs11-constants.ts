/** Attributes, PKCS #11 v3.0 §A.1. */
export const CKA = {
  CLASS: 0x000,
  TOKEN: 0x001,
  PRIVATE: 0x002,
  LABEL: 0x003,
  KEY_TYPE: 0x100,
  ID: 0x102,
  SENSITIVE: 0x103,
  SIGN: 0x108,
  VERIFY: 0x10a,
  EXTRACTABLE: 0x162,
  NEVER_EXTRACTABLE: 0x164,
  ALWAYS_SENSITIVE: 0x165,
  EC_PARAMS: 0x180,
  EC_POINT: 0x181,
  ALWAYS_AUTHENTICATE: 0x202,
} as const

/** Object classes, PKCS #11 v3.0 §A.1. */
export const CKO = { PUBLIC_KEY: 2, PRIVATE_KEY: 3 } as const

/** Key types, PKCS #11 v3.0 §A.1. */
export const CKK = { EC: 3 } as const

/** Mechanisms: ECDSA over a digest that the caller made; EC key pairs. PKCS #11 Current Mechanisms v3.0 §2.3. */
export const CKM = { EC_KEY_PAIR_GEN: 0x1040, ECDSA: 0x1041 } as const

/** Flags of tokens, sessions and initialisation, PKCS #11 v3.0 §3.2, §3.3, §3.7. */
export const CKF = {
  LOGIN_REQUIRED: 0x4,
  PROTECTED_AUTHENTICATION_PATH: 0x100,
  TOKEN_INITIALIZED: 0x400,
  USER_PIN_FINAL_TRY: 0x20000,
  USER_PIN_LOCKED: 0x40000,
  RW_SESSION: 0x2,
  SERIAL_SESSION: 0x4,
  OS_LOCKING_OK: 0x2,
} as const

/** The normal user, PKCS #11 v3.0 §3.3. */
export const CKU_USER = 1

/** Named curves by their DER-encoded object identifier: what CKA_EC_PARAMS holds. RFC 5480 §2.1.1.1. */
export const curvesByParameters: Readonly<Record<string, 'P-256' | 'P-384'>> = {
  '06082a8648ce3d030107': 'P-256',
  '06052b81040022': 'P-384',
}
