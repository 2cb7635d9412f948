/**
 * How strongly hardware stands behind a key. `hsm-*` differ in who vouches: the vendor's signature, the service's own
 * look at the token, or an operator; `emulated` is software and accepted only where the configuration says that word.
 */
export const assuranceLevels = [
  'tpm-discrete',
  'tpm-firmware',
  'tpm-virtual',
  'hsm-attested',
  'hsm-inspected',
  'hsm-declared',
  'emulated',
] as const

export type AssuranceLevel = (typeof assuranceLevels)[number]
