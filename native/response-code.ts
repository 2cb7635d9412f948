/** The response code that a TPM gave, without parameter, handle or session number: TPM 2.0 Part 2 r01.59 §6.6. */
export function baseOf(rc: number): number {
  const code = rc & 0xffff
  return (code & 0x080) !== 0 ? code & 0x0bf : code & 0x97f
}

/** Which part of the command a format-one response code speaks of, such as `parameter 2` or `handle 1`. */
export function positionOf(rc: number): string | undefined {
  if ((rc & 0x080) === 0) return undefined
  const number = (rc & 0xf00) >> 8
  if (number === 0) return undefined
  if ((rc & 0x040) !== 0) return `parameter ${number}`
  return number < 8 ? `handle ${number}` : `session ${number - 8}`
}

/** The specification's name of a TPM response code; `undefined` for one it does not define. */
export function symbolOf(rc: number): string | undefined {
  return symbols.get(baseOf(rc))
}

const layers = new Map([
  [0, 'tpm'],
  [6, 'fapi'],
  [7, 'esys'],
  [8, 'sys'],
  [9, 'mu'],
  [10, 'tcti'],
  [11, 'resmgr'],
  [12, 'resmgr-tpm'],
  [0xe0, 'addon'],
])

/**
 * The layer of the stack that a response code comes from (TSS 2.0 Overview and Common Structures r1.0 §3.1):
 * `tpm` and `resmgr-tpm` carry the TPM's own codes, `addon` those of this package.
 */
export function layerOf(rc: number): string {
  const layer = (rc >>> 16) & 0xff
  return layers.get(layer) ?? `layer-${layer}`
}

const symbols = new Map([
  [0x081, 'TPM_RC_ASYMMETRIC'],
  [0x082, 'TPM_RC_ATTRIBUTES'],
  [0x083, 'TPM_RC_HASH'],
  [0x084, 'TPM_RC_VALUE'],
  [0x085, 'TPM_RC_HIERARCHY'],
  [0x087, 'TPM_RC_KEY_SIZE'],
  [0x088, 'TPM_RC_MGF'],
  [0x089, 'TPM_RC_MODE'],
  [0x08a, 'TPM_RC_TYPE'],
  [0x08b, 'TPM_RC_HANDLE'],
  [0x08c, 'TPM_RC_KDF'],
  [0x08d, 'TPM_RC_RANGE'],
  [0x08e, 'TPM_RC_AUTH_FAIL'],
  [0x08f, 'TPM_RC_NONCE'],
  [0x090, 'TPM_RC_PP'],
  [0x092, 'TPM_RC_SCHEME'],
  [0x095, 'TPM_RC_SIZE'],
  [0x096, 'TPM_RC_SYMMETRIC'],
  [0x097, 'TPM_RC_TAG'],
  [0x098, 'TPM_RC_SELECTOR'],
  [0x09a, 'TPM_RC_INSUFFICIENT'],
  [0x09b, 'TPM_RC_SIGNATURE'],
  [0x09c, 'TPM_RC_KEY'],
  [0x09d, 'TPM_RC_POLICY_FAIL'],
  [0x09f, 'TPM_RC_INTEGRITY'],
  [0x0a0, 'TPM_RC_TICKET'],
  [0x0a1, 'TPM_RC_RESERVED_BITS'],
  [0x0a2, 'TPM_RC_BAD_AUTH'],
  [0x0a3, 'TPM_RC_EXPIRED'],
  [0x0a4, 'TPM_RC_POLICY_CC'],
  [0x0a5, 'TPM_RC_BINDING'],
  [0x0a6, 'TPM_RC_CURVE'],
  [0x0a7, 'TPM_RC_ECC_POINT'],
  [0x100, 'TPM_RC_INITIALIZE'],
  [0x101, 'TPM_RC_FAILURE'],
  [0x103, 'TPM_RC_SEQUENCE'],
  [0x10b, 'TPM_RC_PRIVATE'],
  [0x119, 'TPM_RC_HMAC'],
  [0x120, 'TPM_RC_DISABLED'],
  [0x121, 'TPM_RC_EXCLUSIVE'],
  [0x124, 'TPM_RC_AUTH_TYPE'],
  [0x125, 'TPM_RC_AUTH_MISSING'],
  [0x126, 'TPM_RC_POLICY'],
  [0x127, 'TPM_RC_PCR'],
  [0x128, 'TPM_RC_PCR_CHANGED'],
  [0x12d, 'TPM_RC_UPGRADE'],
  [0x12e, 'TPM_RC_TOO_MANY_CONTEXTS'],
  [0x12f, 'TPM_RC_AUTH_UNAVAILABLE'],
  [0x130, 'TPM_RC_REBOOT'],
  [0x131, 'TPM_RC_UNBALANCED'],
  [0x142, 'TPM_RC_COMMAND_SIZE'],
  [0x143, 'TPM_RC_COMMAND_CODE'],
  [0x144, 'TPM_RC_AUTHSIZE'],
  [0x145, 'TPM_RC_AUTH_CONTEXT'],
  [0x146, 'TPM_RC_NV_RANGE'],
  [0x147, 'TPM_RC_NV_SIZE'],
  [0x148, 'TPM_RC_NV_LOCKED'],
  [0x149, 'TPM_RC_NV_AUTHORIZATION'],
  [0x14a, 'TPM_RC_NV_UNINITIALIZED'],
  [0x14b, 'TPM_RC_NV_SPACE'],
  [0x14c, 'TPM_RC_NV_DEFINED'],
  [0x150, 'TPM_RC_BAD_CONTEXT'],
  [0x151, 'TPM_RC_CPHASH'],
  [0x152, 'TPM_RC_PARENT'],
  [0x153, 'TPM_RC_NEEDS_TEST'],
  [0x154, 'TPM_RC_NO_RESULT'],
  [0x155, 'TPM_RC_SENSITIVE'],
  [0x17f, 'TPM_RC_MAX_FM0'],
  [0x901, 'TPM_RC_CONTEXT_GAP'],
  [0x902, 'TPM_RC_OBJECT_MEMORY'],
  [0x903, 'TPM_RC_SESSION_MEMORY'],
  [0x904, 'TPM_RC_MEMORY'],
  [0x905, 'TPM_RC_SESSION_HANDLES'],
  [0x906, 'TPM_RC_OBJECT_HANDLES'],
  [0x907, 'TPM_RC_LOCALITY'],
  [0x908, 'TPM_RC_YIELDED'],
  [0x909, 'TPM_RC_CANCELED'],
  [0x90a, 'TPM_RC_TESTING'],
  [0x910, 'TPM_RC_REFERENCE_H0'],
  [0x911, 'TPM_RC_REFERENCE_H1'],
  [0x912, 'TPM_RC_REFERENCE_H2'],
  [0x913, 'TPM_RC_REFERENCE_H3'],
  [0x914, 'TPM_RC_REFERENCE_H4'],
  [0x915, 'TPM_RC_REFERENCE_H5'],
  [0x916, 'TPM_RC_REFERENCE_H6'],
  [0x918, 'TPM_RC_REFERENCE_S0'],
  [0x919, 'TPM_RC_REFERENCE_S1'],
  [0x91a, 'TPM_RC_REFERENCE_S2'],
  [0x91b, 'TPM_RC_REFERENCE_S3'],
  [0x91c, 'TPM_RC_REFERENCE_S4'],
  [0x91d, 'TPM_RC_REFERENCE_S5'],
  [0x91e, 'TPM_RC_REFERENCE_S6'],
  [0x920, 'TPM_RC_NV_RATE'],
  [0x921, 'TPM_RC_LOCKOUT'],
  [0x922, 'TPM_RC_RETRY'],
  [0x923, 'TPM_RC_NV_UNAVAILABLE'],
  [0x97f, 'TPM_RC_NOT_USED'],
])
