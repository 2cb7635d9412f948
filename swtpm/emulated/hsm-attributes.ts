import type { HsmAttributes } from '../../src/core/formats/hsm/attributes.ts'

/** What a token shows of a key that was born in it, cannot leave it, and signs alone. */
export const goodAttributes: HsmAttributes = {
  CKA_TOKEN: true,
  CKA_PRIVATE: true,
  CKA_SENSITIVE: true,
  CKA_ALWAYS_SENSITIVE: true,
  CKA_EXTRACTABLE: false,
  CKA_NEVER_EXTRACTABLE: true,
  CKA_LOCAL: true,
  CKA_SIGN: true,
  CKA_SIGN_RECOVER: false,
  CKA_DECRYPT: false,
  CKA_UNWRAP: false,
  CKA_DERIVE: false,
  CKA_WRAP: null,
  CKA_MODIFIABLE: false,
  CKA_COPYABLE: false,
  CKA_DESTROYABLE: true,
  CKA_ALWAYS_AUTHENTICATE: null,
  CKA_KEY_GEN_MECHANISM: 0x1040,
}
