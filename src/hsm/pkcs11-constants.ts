/** Attributes, PKCS #11 v3.0 §A.1. */
export const CKA = {
  CLASS: 0x000,
  TOKEN: 0x001,
  PRIVATE: 0x002,
  LABEL: 0x003,
  KEY_TYPE: 0x100,
  ID: 0x102,
  SENSITIVE: 0x103,
  DECRYPT: 0x105,
  WRAP: 0x106,
  UNWRAP: 0x107,
  SIGN: 0x108,
  SIGN_RECOVER: 0x109,
  VERIFY: 0x10a,
  DERIVE: 0x10c,
  EXTRACTABLE: 0x162,
  LOCAL: 0x163,
  NEVER_EXTRACTABLE: 0x164,
  ALWAYS_SENSITIVE: 0x165,
  KEY_GEN_MECHANISM: 0x166,
  MODIFIABLE: 0x170,
  COPYABLE: 0x171,
  DESTROYABLE: 0x172,
  EC_PARAMS: 0x180,
  EC_POINT: 0x181,
  ALWAYS_AUTHENTICATE: 0x202,
} as const

/** Object classes, PKCS #11 v3.0 §A.1. */
export const CKO = { PUBLIC_KEY: 2, PRIVATE_KEY: 3 } as const

/**
 * Mechanisms that sign: ECDSA over a digest that the caller made, EdDSA over the message. PKCS #11 Current Mechanisms
 * v3.0 §2.3.
 */
export const CKM = {
  EC_KEY_PAIR_GEN: 0x1040,
  ECDSA: 0x1041,
  EC_EDWARDS_KEY_PAIR_GEN: 0x1055,
  EDDSA: 0x1057,
} as const

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

/** A kind of key that signs here. */
export type KeyKind = 'P-256' | 'P-384' | 'Ed25519'

/** What CKA_EC_PARAMS holds: an object identifier, or the name as older modules write it. RFC 5480 §2.1.1.1, RFC 8410 §3. */
export const kindsByParameters: Readonly<Record<string, KeyKind>> = {
  '06082a8648ce3d030107': 'P-256',
  '06052b81040022': 'P-384',
  '06032b6570': 'Ed25519',
  '130c656477617264733235353139': 'Ed25519',
}

/** How each kind is made and signs, and how long its point is. */
export const kinds = {
  'P-256': {
    parameters: '06082a8648ce3d030107',
    generation: CKM.EC_KEY_PAIR_GEN,
    mechanism: CKM.ECDSA,
    pointLength: 65,
  },
  'P-384': {
    parameters: '06052b81040022',
    generation: CKM.EC_KEY_PAIR_GEN,
    mechanism: CKM.ECDSA,
    pointLength: 97,
  },
  Ed25519: {
    parameters: '06032b6570',
    generation: CKM.EC_EDWARDS_KEY_PAIR_GEN,
    mechanism: CKM.EDDSA,
    pointLength: 32,
  },
} as const
